"""The embedded vector store between processes: kills, writers and readers at once, and damaged files."""

from __future__ import annotations

import shutil
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from ai_stack_assets.domain.common.failures import PermanentError, TransientError
from ai_stack_assets.domain.stores.doctor import examine, looks_at
from ai_stack_assets.domain.stores.sync import synchronise
from ai_stack_assets.domain.stores.vectors.edge import EdgeEngine
from ai_stack_assets.domain.stores.vectors.store import VectorStores
from ai_stack_assets.domain.vectorisers.catalogue import Vectorisers
from ai_stack_assets_tests.domain.stores.test_vectors import SEND, Bench, changed

WRITER = """
import sys, time
from pathlib import Path
import pyarrow as pa
from ai_stack_assets.domain.common.lake import Lake
from ai_stack_assets.domain.stores.vectors.edge import EdgeEngine
from ai_stack_assets.domain.stores.vectors.store import VectorStores
from ai_stack_assets.domain.vectorisers.catalogue import Vectorisers
folder, stage = Path(sys.argv[1]), sys.argv[2]
stores = VectorStores(EdgeEngine(folder / "vectors"), Vectorisers(folder / "vectorisers"))
version = Lake(folder / "lake").require("Торговля")
def stop(at):
    if stage == at:
        print("ready", flush=True)
        time.sleep(60)
with stores.open("Торговля") as store:
    stop("opened")
    with store.transaction():
        store.delete("methods", pa.array([sys.argv[3]]))
        stop("ended")
        store.upsert(version, "methods", pa.array([sys.argv[3]]))
        store.upsert(version, "objects", None)
        stop("written")
        store.space.flush()
        stop("flushed")
"""


@pytest.fixture
def bench(tmp_path):
    return Bench(tmp_path, EdgeEngine(tmp_path / "vectors", wait_seconds=10))


def start_writer(folder: Path, stage: str) -> subprocess.Popen:
    command = [sys.executable, "-c", WRITER, str(folder), stage, SEND]
    writer = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert writer.stdout is not None
    assert writer.stdout.readline() == "ready\n"
    return writer


@pytest.mark.parametrize("stage", ["ended", "written", "flushed"])
def test_after_a_kill_the_last_generation_answers_and_the_next_run_ends_in_parity(bench, tmp_path, stage):
    bench.sync(bench.write("v1"))
    before = bench.ids()
    version = bench.write("v2", changed())
    writer = start_writer(tmp_path, stage)
    writer.kill()
    writer.communicate()
    assert bench.ids() == before
    report = bench.sync(version)
    assert (report.total("changed"), report.differences) == (1, [])
    assert bench.differences(version) == {}


def test_a_kill_in_the_first_synchronisation_is_made_good_by_the_next(bench, tmp_path):
    version = bench.write("v1")
    bench.vectorisers.ensure(version)
    writer = start_writer(tmp_path, "written")
    writer.kill()
    writer.communicate()
    with pytest.raises(PermanentError, match="synchronise the vector store first"):
        bench.ids()
    assert bench.sync(version).collections["methods"].added == 5


def test_a_second_writer_and_a_reader_wait_for_the_first(bench, tmp_path):
    version = bench.write("v1")
    bench.sync(version)
    writer = start_writer(tmp_path, "opened")
    threading.Timer(0.5, writer.kill).start()
    started = time.monotonic()
    assert len(bench.ids()) == 6
    assert bench.sync(version).differences == []
    assert time.monotonic() - started > 0.3
    writer.communicate()


def test_a_writer_that_never_ends_is_a_transient_error(bench, tmp_path):
    bench.sync(bench.write("v1"))
    writer = start_writer(tmp_path, "opened")
    hasty = VectorStores(EdgeEngine(tmp_path / "vectors", wait_seconds=0.2), bench.vectorisers)
    try:
        with pytest.raises(TransientError, match="in use by another process"), hasty.open("Торговля"):
            pass
        with pytest.raises(TransientError, match="in use by another process"):
            hasty.similar("Торговля", row_id=SEND)
    finally:
        writer.kill()
        writer.communicate()


def test_a_look_at_what_another_run_writes_does_not_wait_and_is_well(bench, tmp_path):
    bench.sync(bench.write("v1"))
    look = looks_at("vectors", lambda: bench.stores, "embedded", "AI_STACK_ASSETS_DATA")
    writer = start_writer(tmp_path, "opened")
    try:
        (found,) = examine([look])
    finally:
        writer.kill()
        writer.communicate()
    assert found.is_healthy, found.problem
    assert found.findings[-1].said == "points of 1 configurations open, 1 of them in use by another run"
    (found,) = examine([look])
    assert found.findings[-1].said == "points of 1 configurations open"


def test_threads_of_one_process_wait_for_each_other_too(bench):
    version = bench.write("v1")
    bench.vectorisers.ensure(version)
    reports, errors = [], []

    def run() -> None:
        try:
            stores = VectorStores(bench.engine, Vectorisers(bench.vectorisers.folder))
            with stores.open("Торговля") as store:
                reports.append(synchronise(store, version))
        except Exception as error:
            errors.append(error)

    threads = [threading.Thread(target=run) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    assert sorted(report.total("added") for report in reports) == [0, 0, 7]


def shard(bench: Bench) -> Path:
    engine, published = bench.engine, bench.engine.published("Торговля")
    assert isinstance(engine, EdgeEngine)
    assert published is not None
    return engine.folder("Торговля") / published.space


def spoil_settings(folder: Path) -> None:
    (folder / "edge_config.json").write_text("{broken")


def spoil_segments(folder: Path) -> None:
    for path in folder.glob("segments/*/segment.json"):
        path.write_text("{broken")


def spoil_vectors(folder: Path) -> None:
    """The engine panics on this one, which Python does not see as an `Exception`."""
    for path in folder.glob("segments/*/vector_storage/**/status.dat"):
        path.write_bytes(b"")


@pytest.mark.parametrize("spoil", [spoil_settings, spoil_segments, spoil_vectors])
def test_a_damaged_shard_is_an_error_that_says_what_to_do(bench, spoil):
    version = bench.write("v1")
    bench.sync(version)
    spoil(shard(bench))
    with pytest.raises(PermanentError, match="--rebuild=vectors"):
        bench.ids()
    with pytest.raises(PermanentError, match="--rebuild=vectors"):
        bench.differences(version)
    with bench.stores.open("Торговля", rebuild=True) as store:
        assert synchronise(store, version).differences == []
    assert len(bench.ids()) == 6


def test_a_shard_that_lost_its_segments_is_never_an_empty_answer(bench):
    version = bench.write("v1")
    bench.sync(version)
    shutil.rmtree(shard(bench) / "segments")
    with pytest.raises(PermanentError, match="of 7 are left"):
        bench.ids()
    assert bench.differences(version)["objects"].sample()["missing"]
    assert bench.sync(version).differences == []


def test_a_damaged_pointer_is_an_error_that_says_what_to_do(bench):
    bench.sync(bench.write("v1"))
    (shard(bench).parent / "published.json").write_text("{broken")
    with pytest.raises(PermanentError, match=r"published\.json is damaged"):
        bench.ids()


def test_a_missing_shard_is_an_error_for_readers(bench):
    bench.sync(bench.write("v1"))
    shutil.rmtree(shard(bench))
    with pytest.raises(PermanentError, match="synchronise the vector store again"):
        bench.ids()
