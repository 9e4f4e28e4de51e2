"""A zip file as plain files. What is dangerous in it is refused before a byte is written."""

from __future__ import annotations

import contextlib
import stat
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path

from ai_stack_assets.domain.common.failures import PermanentError
from ai_stack_assets.domain.onec.sources import Checkout, SourceSpec
from ai_stack_assets.domain.onec.sources_tree import MAX_FILES, MAX_TOTAL_BYTES, WorkTree, is_safe, slug

MAX_RATIO = 100
"""Unpacked to packed. Dumps of configurations have 10, never 30; bombs have 1,000."""
RATIO_FLOOR_BYTES = 100 * 2**20
"""Below this size any ratio is harmless."""

_UTF8, _ENCRYPTED = 0x800, 0x1
_NOISE = ("__MACOSX/", ".DS_Store")


@contextlib.contextmanager
def zip_checkout(spec: SourceSpec, workdir: Path) -> Iterator[Checkout]:
    """The files of an archive. See `sources.fetch`."""
    path = Path(spec.location)
    if not path.is_file():
        raise PermanentError(f"the zip file {path} does not exist")
    with contextlib.ExitStack() as stack:
        with _naming(path):
            archive = stack.enter_context(zipfile.ZipFile(path))
            entries = _entries(archive, path)
            contents = {name: f"{info.CRC:08x}-{info.file_size}" for name, info in entries.items()}
        tree = WorkTree(workdir / "trees" / slug(spec.location))
        stack.enter_context(tree.holding(contents, lambda names: _read(archive, entries, names, path)))
        yield Checkout(tree.files, path.resolve().as_uri())


def _read(
    archive: zipfile.ZipFile, entries: dict[str, zipfile.ZipInfo], names: list[str], path: Path
) -> Iterator[tuple[str, bytes]]:
    for name in names:
        with _naming(path):
            content = archive.read(entries[name])
        yield name, content


@contextlib.contextmanager
def _naming(path: Path) -> Iterator[None]:
    try:
        yield
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, OSError) as error:
        raise PermanentError(f"{path} is no zip file, or a damaged or unusual one: {error}") from error


def _entries(archive: zipfile.ZipFile, path: Path) -> dict[str, zipfile.ZipInfo]:
    infos = archive.infolist()
    total = sum(info.file_size for info in infos)
    if len(infos) > MAX_FILES or total > MAX_TOTAL_BYTES:
        raise PermanentError(
            f"{path} holds {len(infos)} files of {total / 2**30:.1f} GB: no configuration is so large"
        )
    if total > RATIO_FLOOR_BYTES and total > MAX_RATIO * path.stat().st_size:
        raise PermanentError(
            f"{path} unpacks to {total / 2**20:.0f} MB, more than {MAX_RATIO} times its size: a zip bomb"
        )
    entries = {}
    for info in infos:
        name = _name(info)
        if info.flag_bits & _ENCRYPTED:
            raise PermanentError(f"{path} is protected by a password")
        if stat.S_ISLNK(info.external_attr >> 16):
            raise PermanentError(f"{path}: {name!r} is a link: pack the files themselves")
        if not is_safe(name.removesuffix("/")):
            raise PermanentError(f"{path}: the path {name!r} leads out of the folder")
        if not name.endswith("/") and not name.startswith(_NOISE[0]) and not name.endswith(_NOISE[1]):
            entries[name] = info
    if not entries:
        raise PermanentError(f"{path} holds no files")
    return entries


def _name(info: zipfile.ZipInfo) -> str:
    """Archivers write names in UTF-8 with its flag, in UTF-8 without it, or (Windows) in cp866."""
    name = info.orig_filename
    if not info.flag_bits & _UTF8:
        raw = name.encode("cp437", errors="replace")
        try:
            name = raw.decode("utf-8")
        except UnicodeDecodeError:
            name = raw.decode("cp866")
    return name.replace("\\", "/")
