"""The lake: immutable versions of Parquet tables per configuration, and which one is current. No 1C knowledge here.

    <root>/<configuration>/<version>/<table>/<part>.parquet   parts of one table, sorted, zstd
    <root>/<configuration>/<version>/version.json             where it came from, rows and bytes per table
    <root>/<configuration>/current -> <version>               switched by one rename: readers see a whole version or the last

A version is written in a hidden folder and renamed when complete, so a kill leaves nothing half-visible; parts that did not
change are hard links to the previous version's. Equal input gives an equal version name and equal bytes.
`lake_shared` keeps the same in a bucket, with folders of this shape as its working copy.
"""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from ai_stack_assets.domain.common.failures import PermanentError

if TYPE_CHECKING:
    import pyarrow as pa

KEPT_VERSIONS = 3
"""Current one included: a reader of the previous version must not lose its files under its feet."""

MANIFEST = "version.json"


@dataclass(frozen=True)
class Version:
    """One immutable state of one configuration."""

    configuration: str
    path: Path

    @property
    def id(self) -> str:
        return self.path.name

    @cached_property
    def manifest(self) -> dict[str, Any]:
        """`source`, `tables` ({name: {rows, bytes, parts}}), `created_at` and what the writer added."""
        return msgspec.json.decode(self.file(MANIFEST).read_bytes())

    def rows(self, table: str) -> int:
        return self.manifest["tables"].get(table, {"rows": 0})["rows"]

    def parts(self, table: str) -> list[Path]:
        names = self.manifest["tables"].get(table, {"parts": []})["parts"]
        return self.files([f"{table}/{name}" for name in names])

    def uri(self, table: str) -> str:
        """Where a table lies, for people and their tools."""
        return (self.path / table).as_uri()

    def file(self, name: str) -> Path:
        """One file of the version, by its path in it."""
        return self.files([name])[0]

    def files(self, names: Sequence[str]) -> list[Path]:
        """The same for many: on the local disk, to be read soon."""
        return [self.path / name for name in names]

    def take_over(self, name: str, draft: Path) -> None:
        """Put a file of this version into a draft of the next one, as it is and without reading it."""
        source, target = self.path / name, draft / name
        target.parent.mkdir(parents=True, exist_ok=True)
        if source.is_symlink():
            target.symlink_to(source.readlink())
            return
        try:
            os.link(source, target)
        except OSError:  # a file system without hard links
            shutil.copy2(source, target)

    def table(
        self, table: str, columns: Sequence[str] | None = None, *, as_dictionary: Sequence[str] = ()
    ) -> pa.Table:
        """The whole table (or some columns) in memory; an empty table with the right schema when it has no rows.

        Columns in `as_dictionary` keep each distinct text once (unless there are no rows).
        """
        import pyarrow as pa
        import pyarrow.parquet as pq

        options: dict[str, Any] = {
            "columns": list(columns) if columns else None,
            "read_dictionary": list(as_dictionary),
        }
        parts = [pq.read_table(part, **options) for part in self.parts(table)]
        if parts:
            return pa.concat_tables(parts)
        from ai_stack_assets.domain.onec.tables import TABLES

        empty = TABLES[table].arrow_schema().empty_table()
        return empty.select(list(columns)) if columns else empty

    def batches(
        self, table: str, columns: Sequence[str] | None = None, rows: int = 8192
    ) -> Iterator[pa.RecordBatch]:
        """The table piece by piece: memory stays bounded by one batch."""
        import pyarrow.parquet as pq

        for part in self.parts(table):
            yield from pq.ParquetFile(part).iter_batches(rows, columns=list(columns) if columns else None)


class Lake:
    """All configurations under one folder (`<data>/lake/onec`)."""

    def __init__(self, root: Path) -> None:
        self.root = Path(root)

    def configurations(self) -> list[str]:
        return sorted(p.parent.name for p in self.root.glob("*/current"))

    def folder(self, configuration: str) -> Path:
        return self.root / configuration

    @property
    def place(self) -> str:
        """Where it lies, for messages."""
        return str(self.root)

    def current(self, configuration: str) -> Version | None:
        link = self.folder(configuration) / "current"
        return Version(configuration, link.parent / link.readlink()) if link.is_symlink() else None

    def versions(self, configuration: str) -> list[Version]:
        """All that are kept, the current one first. `switch` makes any of them the current one."""
        return [Version(configuration, path) for path in self._folders(configuration)]

    def intact(self, configuration: str) -> Version | None:
        """The current version if all its parts are there, whole: what the next one may be built on."""
        version = self.current(configuration)
        return version if version and self._is_intact(version) else None

    def require(self, configuration: str) -> Version:
        version = self.current(configuration)
        if version is None:
            raise PermanentError(
                f"configuration {configuration!r} is not in the lake {self.place}: run its extraction first"
            )
        return version

    @contextlib.contextmanager
    def draft(self, configuration: str) -> Iterator[Path]:
        """A hidden folder to write a version into; removed on any failure. One writer at a time.

        What is published from it succeeds the version that `current` or `intact` gave last.
        """
        folder = self.folder(configuration)
        folder.mkdir(parents=True, exist_ok=True)
        draft = folder / ".draft"
        shutil.rmtree(draft, ignore_errors=True)
        draft.mkdir()
        try:
            yield draft
        finally:
            shutil.rmtree(draft, ignore_errors=True)

    def publish(self, configuration: str, draft: Path, version_id: str, manifest: dict[str, Any]) -> Version:
        """Make the draft the current version. Publishing what is current already changes only where it came from."""
        folder = self.folder(configuration)
        target = folder / version_id
        (draft / MANIFEST).write_bytes(msgspec.json.format(msgspec.json.encode(manifest)))
        to_disk(draft / MANIFEST)
        to_disk(draft)
        self._share(configuration, version_id, draft)
        if target.exists():
            put_into(draft, target)
        else:
            draft.rename(target)
        self._point(target)
        self._prune(configuration)
        return self._version(configuration, target)

    def switch(self, version: Version) -> None:
        """Make a version that the lake still has the current one."""
        self._point(version.path)

    def remove(self, configuration: str) -> None:
        shutil.rmtree(self.folder(configuration), ignore_errors=True)

    def _version(self, configuration: str, path: Path) -> Version:
        return Version(configuration, path)

    def _share(self, configuration: str, version_id: str, draft: Path) -> None:
        """Called with all that a version consists of, before anybody can see it."""

    def _point(self, path: Path) -> None:
        link = path.parent / ".current"
        link.unlink(missing_ok=True)
        link.symlink_to(path.name)
        link.replace(path.parent / "current")
        to_disk(path.parent)
        # the newest are kept: the current one is the newest
        os.utime(path)

    def _is_intact(self, version: Version) -> bool:
        return all(
            sum(size_of(part) or 0 for part in version.parts(name)) == entry["bytes"]
            for name, entry in version.manifest["tables"].items()
        )

    def _folders(self, configuration: str) -> list[Path]:
        """Of its versions, the newest first."""
        if not self.folder(configuration).exists():
            return []
        found = [
            p
            for p in self.folder(configuration).iterdir()
            if p.is_dir() and not p.is_symlink() and p.name[0] != "."
        ]
        return sorted(found, key=lambda p: p.stat().st_mtime_ns, reverse=True)

    def _prune(self, configuration: str) -> None:
        for old in self._folders(configuration)[KEPT_VERSIONS:]:
            shutil.rmtree(old, ignore_errors=True)


def to_disk(path: Path) -> None:
    """What a power cut must not take: the manifest, without which no next version can be made, and names in a folder.

    Parts are not: their sizes are compared, and one that lost something is read anew from the source."""
    with contextlib.suppress(OSError):  # a file system that cannot do it for a folder
        handle = os.open(path, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def size_of(file: Path) -> int | None:
    """Bytes; None when it is not there."""
    try:
        return file.stat().st_size
    except FileNotFoundError:
        return None


def put_into(draft: Path, target: Path) -> None:
    """The same content again, file by file: what somebody took away or damaged is mended, and nobody sees a gap."""
    for file in [path for path in draft.rglob("*") if path.is_symlink() or path.is_file()]:
        place = target / file.relative_to(draft)
        place.parent.mkdir(parents=True, exist_ok=True)
        file.replace(place)


def write_part(rows: list, table_name: str, path: Path) -> int:
    """Write row tuples (without the hash) as one Parquet part with `content_hash`. Returns bytes; none for no rows."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    from ai_stack_assets.domain.common.hashing import row_hashes
    from ai_stack_assets.domain.onec.tables import TABLES

    if not rows:
        return 0
    schema = TABLES[table_name].arrow_schema()
    columns = [
        pa.array(values, field.type) for values, field in zip(zip(*rows, strict=True), schema, strict=False)
    ]
    plain = pa.table(columns, schema=schema.remove(len(schema) - 1))
    table = plain.append_column(schema.field(len(schema) - 1), row_hashes(plain))
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(table, path, compression="zstd", compression_level=1)
    return path.stat().st_size


def write_version(
    lake: Lake, configuration: str, tables: dict[str, list], version_id: str, **manifest: Any
) -> Version:
    """A whole version from row tuples in memory, one part per table: for small inputs and tests."""
    with lake.draft(configuration) as draft:
        entries = {}
        for name, rows in tables.items():
            size = write_part(rows, name, draft / name / "0000.parquet")
            entries[name] = {"rows": len(rows), "bytes": size, "parts": ["0000.parquet"] if rows else []}
        return lake.publish(
            configuration, draft, version_id, {**manifest, "configuration": configuration, "tables": entries}
        )
