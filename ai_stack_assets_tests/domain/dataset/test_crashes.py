"""The stage under kill -9 and on a full disk: what was there stays, nothing is half-made, the next run goes on."""

from __future__ import annotations

import multiprocessing
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from ai_stack_assets.domain.common.lake import Lake, Version
from ai_stack_assets.domain.dataset import records, stage
from ai_stack_assets.domain.dataset.dedupe import deduplicate as dedupe
from ai_stack_assets.domain.dataset.dedupe import representatives, sets
from ai_stack_assets.domain.dataset.publishing.export import PARQUET, export
from ai_stack_assets.domain.dataset.publishing.folder import FolderHub
from ai_stack_assets.domain.dataset.publishing.hub import publish
from ai_stack_assets.domain.dataset.publishing.huggingface import HuggingFaceHub
from ai_stack_assets_tests.domain.dataset.publishing.conftest import WEEK, exported, row, splits
from ai_stack_assets_tests.servers import hub as hub_double

FORK = multiprocessing.get_context("fork")


def killed(work: Callable[[], Any], at: Callable[[], None]) -> None:
    """Run `work` in a process of its own, and end that with SIGKILL when `at` is called in it."""
    process = FORK.Process(target=_suicidal, args=(work, at))
    process.start()
    process.join(120)
    assert process.exitcode == -signal.SIGKILL


def _suicidal(work: Callable[[], Any], at: Callable[[], None]) -> None:
    at()
    work()


def kill_at_call(owner: Any, name: str, call: int) -> Callable[[], None]:
    """Make the `call`-th call of a function end the process."""

    def arm() -> None:
        original, count = getattr(owner, name), iter(range(1, 1 << 30))

        def watched(*args: Any, **kwargs: Any) -> Any:
            if next(count) == call:
                os.kill(os.getpid(), signal.SIGKILL)
            return original(*args, **kwargs)

        setattr(owner, name, watched)

    return arm


def merged(folder: Path, rows: int = 60) -> Version:
    table = pa.Table.from_pylist([row(n // 2, path=f"{n}.bsl") for n in range(rows)], schema=records.schema())
    return stage.build(
        Lake(folder / "merged"), WEEK, f"merged{rows}", lambda p: p.write("records", table) or {}
    )[0]


def deduplicated(folder: Path, version: Version) -> Version:
    key = stage.key("1", version)
    return stage.build(
        Lake(folder / "deduplicated"), WEEK, key, lambda p: dedupe.deduplicate(version, p.write)
    )[0]


@pytest.mark.parametrize(
    ("owner", "name"),
    [(sets, "collect"), (representatives, "choose"), (stage.Parts, "write"), (Lake, "publish")],
)
def test_a_kill_during_deduplication_leaves_the_version_before(tmp_path: Path, owner: Any, name: str) -> None:
    before = deduplicated(tmp_path, merged(tmp_path, 20))
    version = merged(tmp_path, 60)
    killed(lambda: deduplicated(tmp_path, version), kill_at_call(owner, name, 1))
    lake = Lake(tmp_path / "deduplicated")
    assert lake.require(WEEK).id == before.id
    assert lake.require(WEEK).rows("records") == before.rows("records") == 10
    assert deduplicated(tmp_path, version).rows("records") == 30
    assert not list((tmp_path / "deduplicated").rglob(".draft"))


@pytest.mark.parametrize("call", [1, 3, 6, 8])
def test_a_kill_during_publishing_to_a_folder_leaves_the_revision_before(tmp_path: Path, call: int) -> None:
    from ai_stack_assets.domain.dataset.publishing import folder

    hub = FolderHub(tmp_path / "hub", "owner/bsl")
    publish(hub, exported(tmp_path, splits(tmp_path, rows=12)).files, "2026-11-08", "week")
    before = hub.head("main")
    made = exported(tmp_path, splits(tmp_path))
    killed(lambda: publish(hub, made.files, WEEK, "week"), kill_at_call(folder, "_place", call))
    assert hub.head("main") == before and hub.tags() == ["2026-11-08"]
    publish(hub, made.files, WEEK, "week")
    got = hub.download(WEEK, tmp_path / "got")
    assert {n: (got / n).read_bytes() for n in made.files} == {
        n: p.read_bytes() for n, p in made.files.items()
    }


@pytest.mark.parametrize("at", ["PUT /_lfs/", "POST .*/preupload/", "POST .*/commit/"])
def test_a_kill_during_an_upload_publishes_nothing_and_the_next_run_all(
    tmp_path: Path, at: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    import huggingface_hub.constants

    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_DISABLE_XET", True)
    made = exported(tmp_path, splits(tmp_path))
    with hub_double.hub() as double:
        hub = HuggingFaceHub("owner/bsl", double.url, hub_double.TOKEN)
        arrived, answer = threading.Event(), threading.Event()
        double.faults.append((at, lambda _: (arrived.set(), answer.wait(60))))
        uploading = subprocess.Popen(
            [sys.executable, "-c", _UPLOAD, double.url, *(f"{n}={p}" for n, p in made.files.items())],
            env={**os.environ, "HF_HUB_DISABLE_XET": "1"},
        )
        assert arrived.wait(60)
        uploading.kill()
        uploading.wait()
        if "commit" not in at:
            answer.set()
            assert len(double.repositories["owner/bsl"].commits) == 1
        # a commit that the hub has in hand may still come through, whole, when nobody waits for it any more
        answer.set()
        publish(hub, made.files, WEEK, "week")
        repository = double.repositories["owner/bsl"]
        assert set(made.files) <= set(repository.trees[repository.branches["main"]])
        assert repository.tags == {WEEK: repository.branches["main"]}


_UPLOAD = f"""
import sys
from pathlib import Path
from ai_stack_assets.domain.dataset.publishing.hub import publish
from ai_stack_assets.domain.dataset.publishing.huggingface import HuggingFaceHub
files = dict(argument.split("=", 1) for argument in sys.argv[2:])
hub = HuggingFaceHub("owner/bsl", sys.argv[1], {hub_double.TOKEN!r})
publish(hub, {{name: Path(path) for name, path in files.items()}}, {WEEK!r}, "week")
"""


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of one megabyte."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(folder)], capture_output=True
    )
    if mounted.returncode:
        pytest.skip(f"needs the right to mount: {mounted.stderr.decode().strip()}")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


def test_a_full_disk_while_writing_shards_keeps_the_shards_before(tmp_path: Path, small_disk: Path) -> None:
    lake = Lake(small_disk / "parquet")
    few = splits(tmp_path, rows=12)
    before = stage.build(lake, WEEK, "few", lambda parts: export(few, parts, PARQUET))[0]
    (small_disk / "ballast").write_bytes(os.urandom((1 << 20) - 200_000))
    many = splits(tmp_path, rows=4_000)
    with pytest.raises(OSError, match="No space left"):
        stage.build(lake, WEEK, "many", lambda parts: export(many, parts, PARQUET))
    assert lake.require(WEEK).id == before.id
    assert [path.stat().st_size for path in lake.require(WEEK).parts("public")]
    (small_disk / "ballast").unlink()
    assert stage.build(lake, WEEK, "many", lambda parts: export(many, parts, PARQUET))[1]
