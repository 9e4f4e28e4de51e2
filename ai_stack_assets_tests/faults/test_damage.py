"""Embedded files cut off or overwritten: named with the way to rebuild, or repaired; never an empty answer."""

from __future__ import annotations

import random
import signal
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from ai_stack_assets.domain.common.failures import PermanentError, TransientError
from ai_stack_assets.domain.stores.names import slug
from ai_stack_assets_tests.faults.lake import OLD, ROWS, version
from ai_stack_assets_tests.faults.stores import Subject

HOLE = 4096


def _cut(file: Path, lot: random.Random) -> None:
    """To a third of what is in use."""
    with file.open("r+b") as data:
        data.truncate(_used(file)[-1] // 3 + 1)


def _scribble(file: Path, lot: random.Random) -> None:
    """Random bytes at twenty places among those that hold something."""
    with file.open("r+b") as data:
        for at in lot.choices(_used(file), k=20):
            data.seek(at)
            data.write(lot.randbytes(512))


def _used(file: Path) -> list[int]:
    content = file.read_bytes()
    return [at for at in range(0, len(content), HOLE) if any(content[at : at + HOLE])]


def _main_file(subject: Subject) -> Path:
    """The one that holds most of the data."""
    folder = Path(subject.folder) / subject.engine
    if subject.engine == "postgres":
        with subject.client().connected() as connection:
            name = f"onec.methods_{slug(subject.configuration)}"
            [path] = connection.execute("SELECT pg_relation_filepath(%s)", [name]).fetchone()
        return folder / path
    files = [file for file in folder.rglob("*") if file.is_file() and not file.is_symlink()]
    if subject.engine == "vectors":
        files = [file for file in files if "payload_storage" in str(file) and file.name == "page_0.dat"]
    return max(files, key=lambda file: file.stat().st_size)


def _stop(subject: Subject) -> None:
    """As an administrator stops the database: all of it is in its files then, and nothing to recover from."""
    if subject.engine == "postgres":
        pid = int((Path(subject.folder) / "postgres" / "postmaster.pid").read_text().split()[0])
        process = psutil.Process(pid)
        process.send_signal(signal.SIGINT)
        process.wait(60)


@pytest.mark.parametrize("hurt", [_cut, _scribble], ids=["cut off", "overwritten"])
def test_a_damaged_file_is_found_and_the_store_made_anew_on_request(
    embedded: Subject, hurt: Callable[[Path, random.Random], None]
) -> None:
    wanted = version(embedded.lake, OLD)
    embedded.sync(wanted)
    file = _main_file(embedded)
    _stop(embedded)
    hurt(file, random.Random(3))

    assert _found(embedded, wanted), "the damage was not noticed"
    assert _answer(embedded) in ("an error", ROWS)

    report = embedded.sync(wanted, rebuild=True)
    assert report.differences == []
    assert embedded.differences(wanted) == {}
    assert embedded.seen()[OLD] == ROWS


def _found(subject: Subject, wanted) -> bool:
    """By an error that names the way out, or by rows that differ."""
    try:
        return bool(subject.differences(wanted))
    except (PermanentError, TransientError) as error:
        assert f"--rebuild={subject.engine}" in str(error)
        return True


def _answer(subject: Subject) -> int | str:
    try:
        return subject.seen()[OLD]
    except (PermanentError, TransientError):
        return "an error"


def test_a_rebuild_of_a_healthy_store_is_never_dark(subject: Subject) -> None:
    from ai_stack_assets_tests.faults.kills import Watch

    wanted = version(subject.lake, OLD, subject.configuration)
    subject.sync(wanted)
    with Watch(subject) as watch:
        report = subject.sync(wanted, rebuild=True)
    assert report.total("added") + report.total("changed") == report.total("rows")
    assert watch.mixed == [] and watch.errors == []
    assert watch.looked > 0
    assert subject.differences(wanted) == {}
