"""A lake in a bucket: many machines, one truth; whatever is killed, refused, lost or swept away."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest

from ai_stack_assets.domain.common import lake_bucket, lake_copy
from ai_stack_assets.domain.common.failures import PermanentError, TransientError
from ai_stack_assets.domain.common.lake import KEPT_VERSIONS, Lake, write_version
from ai_stack_assets.domain.common.lake_bucket import Bucket
from ai_stack_assets.domain.common.lake_shared import SharedLake, open_lake
from ai_stack_assets.domain.onec.extraction import extract
from ai_stack_assets_tests.domain.common.test_lake import an_object, names

SAMPLE = Path(__file__).parents[3] / "samples" / "demo" / "designer"


class Cloud:
    """A bucket, and machines that have nothing else in common."""

    def __init__(self, url: str, folder: Path, server) -> None:
        self.bucket, self.folder, self.server = Bucket(url).below("lake"), folder, server

    def machine(
        self, name: str, *, grace: timedelta = timedelta(days=1), copy_bytes: int = 1 << 30
    ) -> SharedLake:
        return SharedLake(self.folder / name, self.bucket, grace=grace, copy_bytes=copy_bytes)

    def parts(self) -> set[str]:
        return {o.key for o in self.bucket.list("parts") if o.key.endswith(".parquet")}


@pytest.fixture
def cloud(bucket_url, tmp_path, s3_server, monkeypatch) -> Cloud:
    monkeypatch.setattr(lake_bucket, "MAX_RETRIES", 1)
    return Cloud(bucket_url, tmp_path / "machines", s3_server)


def publish(lake: Lake, *objects: str, version: str = "", **tables) -> None:
    rows = {"objects": [an_object(name) for name in objects], **tables}
    write_version(lake, "demo", rows, version or "-".join(objects))


# ---- what travels


def test_another_machine_reads_what_one_has_published(cloud):
    publish(cloud.machine("a"), "А", "Б")
    there = cloud.machine("b")
    assert there.configurations() == ["demo"]
    assert names(there.require("demo")) == ["Catalog.А", "Catalog.Б"]
    publish(cloud.machine("a"), "В")
    assert names(there.require("demo")) == ["Catalog.В"]


def test_only_the_parts_that_are_read_are_fetched(cloud):
    publish(cloud.machine("a"), "А", methods=[], rejected=[])
    there = cloud.machine("b").require("demo")
    there.rows("objects")
    assert list((cloud.folder / "b").rglob("*.parquet")) and not [
        p for p in cloud.folder.glob("b/**/*.parquet") if p.is_file()
    ]
    there.table("objects")
    assert len([p for p in cloud.folder.glob("b/demo/.parts/*.parquet") if p.is_file()]) == 1


def test_what_the_bucket_has_is_not_uploaded_again(cloud):
    lake = cloud.machine("a")
    publish(lake, "А", version="v1")
    cloud.server.requests.clear()
    publish(lake, "А", version="v2")
    assert [path for path in cloud.server.uploads() if path.endswith(".parquet")] == []
    assert names(cloud.machine("b").require("demo")) == ["Catalog.А"]


def test_publishing_the_same_again_writes_nothing(cloud):
    lake = cloud.machine("a")
    publish(lake, "А")
    cloud.server.requests.clear()
    publish(cloud.machine("b"), "А")
    assert cloud.server.uploads() == []


def test_the_local_copy_is_bounded_and_what_it_lacks_is_fetched_again(cloud):
    publish(cloud.machine("a"), "А")
    small = cloud.machine("b", copy_bytes=1)
    assert names(small.require("demo")) == ["Catalog.А"]
    [part] = small.folder("demo").glob(".parts/*.parquet")
    long_ago = part.stat().st_mtime - 2 * lake_copy.SPARED_SECONDS
    os.utime(part, (long_ago, long_ago))
    publish(cloud.machine("a"), "Б")
    assert names(small.require("demo")) == ["Catalog.Б"]
    assert not part.exists()
    assert names(small.versions("demo")[1]) == ["Catalog.А"]
    assert part.exists()


def test_what_is_in_use_is_not_evicted(cloud):
    publish(cloud.machine("a"), "А")
    small = cloud.machine("b", copy_bytes=1)
    assert all(part.exists() for part in small.require("demo").parts("objects"))


def test_without_a_setting_the_lake_is_the_folder_that_it_was(tmp_path):
    lake = open_lake(tmp_path, "", "onec", 0)
    publish(lake, "А")
    [part] = (tmp_path / "lake" / "onec" / "demo" / "current" / "objects").glob("*.parquet")
    assert not part.is_symlink()


# ---- extraction on machines that share nothing else


def test_a_cold_machine_takes_over_what_another_has_read(cloud, tmp_path):
    source = tmp_path / "source"
    shutil.copytree(SAMPLE, source)
    for _ in range(2):  # a run in which nothing changed makes less, and must not lose what the next one needs
        first = extract("demo", str(source), cloud.machine("a"), tmp_path / "cache a", workers=1)
    module = next(source.rglob("CommonModules/*/Ext/Module.bsl"))
    module.write_text(module.read_text(encoding="utf-8-sig") + "\n// ещё строка\n", encoding="utf-8")
    cloud.server.requests.clear()
    cold = extract("demo", str(source), cloud.machine("b"), tmp_path / "cache b", workers=1)
    assert (cold.tables["modules"].changed, cold.tables["objects"].changed) == (1, 0)
    assert cold.previous and cold.previous.id == first.version.id
    alone = extract("demo", str(source), Lake(tmp_path / "alone"), tmp_path / "cache c", workers=1)
    assert alone.version.id == cold.version.id
    for table in cold.tables:
        assert cold.version.table(table).equals(alone.version.table(table))


def test_unchanged_buckets_are_neither_parsed_nor_fetched_by_a_cold_machine(cloud, tmp_path):
    extract("demo", str(SAMPLE), cloud.machine("a"), tmp_path / "cache a", workers=1)
    report = extract("demo", str(SAMPLE), cloud.machine("b"), tmp_path / "cache b", workers=1)
    assert report.files.get("parsed", 0) == 0
    assert {p.suffix for p in cloud.folder.glob("b/demo/.parts/*")} <= {".json", ".parquet"}
    assert len(list(cloud.folder.glob("b/demo/.parts/*.parquet"))) <= 1  # `rejected`, for the report


# ---- two at once


def test_of_two_publishers_the_later_is_told_to_begin_again_and_nothing_is_lost(cloud):
    publish(cloud.machine("a"), "А")
    one, other = cloud.machine("a"), cloud.machine("b")
    one.require("demo"), other.require("demo")
    publish(one, "Первый")
    with pytest.raises(TransientError, match="published by another run meanwhile"):
        publish(other, "Второй")
    assert names(cloud.machine("c").require("demo")) == ["Catalog.Первый"]
    other.require("demo")
    publish(other, "Второй")
    assert [version.id for version in one.versions("demo")] == ["Второй", "Первый", "А"]


def test_of_two_first_publishers_one_wins(cloud):
    one, other = cloud.machine("a"), cloud.machine("b")
    assert (one.current("demo"), other.current("demo")) == (None, None)
    publish(one, "Первый")
    with pytest.raises(TransientError):
        publish(other, "Второй")
    assert names(other.require("demo")) == ["Catalog.Первый"]


def test_a_switch_beside_a_publisher_is_repeated_on_what_is_there_now(cloud, monkeypatch):
    lake, other = cloud.machine("a"), cloud.machine("b")
    for name in ("А", "Б"):
        publish(lake, name)
    old, replace, interfered = lake.versions("demo")[1], Bucket.replace, []

    def late(bucket, key, data, seen):
        if not interfered:
            interfered.append(True)
            publish(other, "В")
        replace(bucket, key, data, seen)

    monkeypatch.setattr(Bucket, "replace", late)
    lake.switch(old)
    assert [version.id for version in other.versions("demo")] == ["А", "В", "Б"]


def test_a_version_that_is_gone_cannot_be_switched_to(cloud):
    lake = cloud.machine("a", grace=timedelta(0))
    publish(lake, "0")
    old = lake.require("demo")
    for number in range(1, KEPT_VERSIONS + 1):
        publish(lake, str(number))
    with pytest.raises(PermanentError, match="version 0 of 'demo' is no longer in"):
        lake.switch(old)


# ---- kept and swept away


def test_versions_and_parts_of_before_are_swept_away_when_the_grace_is_over(cloud):
    lake = cloud.machine("a", grace=timedelta(0))
    for number in range(KEPT_VERSIONS + 2):
        publish(lake, str(number))
    assert len(cloud.parts()) == KEPT_VERSIONS
    assert [names(version) for version in cloud.machine("b").versions("demo")]


def test_within_the_grace_a_reader_keeps_its_version_whatever_is_published(cloud):
    publish(cloud.machine("a"), "0")
    reader = cloud.machine("b").require("demo")
    for number in range(1, KEPT_VERSIONS + 3):
        publish(cloud.machine("a"), str(number))
    assert names(reader) == ["Catalog.0"]


def test_the_upload_of_a_stopped_publisher_is_used_by_the_next_and_swept_away_later(cloud, monkeypatch):
    lake = cloud.machine("a")
    publish(lake, "А")
    with monkeypatch.context() as stopped:
        stopped.setattr(SharedLake, "_replace", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            publish(lake, "Б")
    assert len(cloud.parts()) == 2
    cloud.server.requests.clear()
    publish(cloud.machine("b"), "Б")
    assert [path for path in cloud.server.uploads() if path.endswith(".parquet")] == []
    sweeper = cloud.machine("c", grace=timedelta(0))
    sweeper.bucket.write("parts/demo/orphan-1.parquet", b"left behind")
    for name in "ВГДЕ":
        publish(sweeper, name)
    assert "parts/demo/orphan-1.parquet" not in cloud.parts()


def test_an_old_object_without_a_version_is_never_built_upon(cloud, monkeypatch):
    """Somebody may be sweeping it away at this moment."""
    lake = cloud.machine("a", grace=timedelta(0))
    with monkeypatch.context() as stopped:
        stopped.setattr(SharedLake, "_replace", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            publish(lake, "А")
    [orphan] = cloud.parts()
    publish(lake, "А")
    assert len(cloud.parts()) == 2
    cloud.bucket.delete([orphan])
    assert names(cloud.machine("b").require("demo")) == ["Catalog.А"]


# ---- killed

KILLED = """
import os, sys
from pathlib import Path
from ai_stack_assets.domain.common.lake import write_version
from ai_stack_assets.domain.common.lake_bucket import Bucket
from ai_stack_assets.domain.common.lake_shared import SharedLake
from ai_stack_assets_tests.domain.common.test_lake import an_object
left = int(sys.argv[3])
def dying(method):
    def call(*args):
        global left
        left -= 1
        if left < 0:
            os._exit(9)
        return method(*args)
    return call
for name in ("read", "write", "replace", "list", "delete"):
    setattr(Bucket, name, dying(getattr(Bucket, name)))
lake = SharedLake(Path(sys.argv[1]), Bucket(sys.argv[2]))
lake.current("demo")
write_version(lake, "demo", {"objects": [an_object("new")], "modules": []}, "new")
"""


def test_a_publisher_killed_before_any_of_its_requests_leaves_the_old_version_or_the_new_one(cloud):
    publish(cloud.machine("a"), "old")
    seen = []
    for requests in range(20):
        command = [sys.executable, "-c", KILLED, str(cloud.folder / "a"), cloud.bucket.url, str(requests)]
        code = subprocess.run(command, env=os.environ, check=False).returncode
        for machine in ("a", f"cold {requests}"):
            version = cloud.machine(machine).require("demo")
            assert names(version) == [f"Catalog.{version.id}"]
        seen.append(version.id)
        if code == 0:
            break
        assert code == 9
    assert code == 0
    assert seen == sorted(seen, reverse=True) and len(seen) > 5  # old, old, … new
    assert [v.id for v in cloud.machine("a").versions("demo")] == ["new", "old"]


# ---- refused


@pytest.mark.parametrize(
    ("refusal", "error", "said"),
    [
        ((503, "SlowDown"), TransientError, "AWS_ENDPOINT_URL"),
        ((429, "TooManyRequests"), TransientError, "AWS_ENDPOINT_URL"),
        ((500, "InternalError"), TransientError, "AWS_ENDPOINT_URL"),
        ((403, "InvalidAccessKeyId"), PermanentError, "AWS_ACCESS_KEY_ID"),
        ((403, "SignatureDoesNotMatch"), PermanentError, "AWS_SECRET_ACCESS_KEY"),
        ((400, "AuthorizationHeaderMalformed"), PermanentError, "AWS_REGION"),
        ((301, "PermanentRedirect"), PermanentError, "AWS_REGION"),
    ],
)
def test_a_refusal_names_the_setting_and_only_passing_ones_are_tried_again(cloud, refusal, error, said):
    publish(cloud.machine("a"), "А")
    for ask in (Lake.require, lambda lake, name: lake.configurations(), lambda lake, _: publish(lake, "Б")):
        cloud.server.refusals[:] = [refusal] * 50
        with pytest.raises(error, match=said) as caught:
            ask(cloud.machine("b"), "demo")
        tries = 50 - len(cloud.server.refusals)
        assert tries == (2 if error is TransientError else 1)
        assert "LAKE_URL=s3://" in str(caught.value)
        cloud.server.refusals.clear()
    assert names(cloud.machine("b").require("demo")) == ["Catalog.А"]


def test_a_refusal_that_passes_is_not_noticed(cloud):
    cloud.server.refusals[:] = [(503, "SlowDown")]
    publish(cloud.machine("a"), "А")
    cloud.server.refusals[:] = [(503, "SlowDown")]
    assert names(cloud.machine("b").require("demo")) == ["Catalog.А"]


@pytest.mark.parametrize(
    "ask", [lambda lake: lake.current("demo"), lambda lake: publish(lake, "А"), SharedLake.configurations]
)
def test_a_bucket_that_does_not_exist_is_named(cloud, ask):
    lake = SharedLake(cloud.folder, Bucket("s3://no-such-bucket/lake"))
    with pytest.raises(PermanentError, match="LAKE_URL=s3://no-such-bucket/lake does not exist"):
        ask(lake)


def test_a_storage_that_ignores_conditions_is_refused_before_anything_is_published(cloud, monkeypatch):
    monkeypatch.setattr(cloud.server, "ignores_conditions", True)
    with pytest.raises(PermanentError, match="ignores conditional writes"):
        publish(cloud.machine("a"), "А")
    assert cloud.bucket.list("") == []


def test_an_endpoint_that_nobody_answers_at_is_named(cloud, monkeypatch):
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    with pytest.raises(TransientError, match="AWS_ENDPOINT_URL"):
        cloud.machine("a").current("demo")


def test_missing_credentials_are_named(cloud, monkeypatch):
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_METADATA_ENDPOINT", cloud.server.url)
    cloud.server.refusals[:] = [(404, "")] * 50
    with pytest.raises(PermanentError, match="AWS_ACCESS_KEY_ID"):
        cloud.machine("a").current("demo")


@pytest.mark.parametrize("url", ["/mnt/lake", "ftp://host/lake", "s3://", "s3:///"])
def test_an_address_that_is_none_is_refused_with_the_kinds_there_are(url):
    with pytest.raises(PermanentError, match=f"LAKE_URL={url}: .*s3://bucket/prefix"):
        Bucket(url)


# ---- lost and damaged


@pytest.mark.parametrize("damage", [None, b"", b"PAR1 cut"])
def test_a_lost_or_cut_part_is_named_and_the_next_extraction_makes_it_again(cloud, tmp_path, damage):
    extract("demo", str(SAMPLE), cloud.machine("a"), tmp_path / "cache a", workers=1)
    whole = cloud.machine("a").require("demo").table("methods")
    [key] = [
        f"parts/demo/{part.readlink().name}"
        for part in cloud.machine("a").require("demo").parts("methods")[:1]
    ]
    if damage is None:
        cloud.bucket.delete([key])
    else:
        cloud.bucket.write(key, damage)
    with pytest.raises(
        PermanentError, match=r"lake/parts/demo/.* is (missing|damaged).*run the extraction of 'demo'"
    ):
        cloud.machine("b").require("demo").table("methods")
    report = extract("demo", str(SAMPLE), cloud.machine("c"), tmp_path / "cache c", workers=1)
    assert report.previous is None
    assert cloud.machine("b").require("demo").table("methods").equals(whole)


def test_no_space_for_the_copy_is_told_with_the_setting_and_leaves_nothing(cloud, monkeypatch):
    publish(cloud.machine("a"), "А")

    def full(self, key, target):
        target.write_bytes(b"begun")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Bucket, "download", full)
    with pytest.raises(PermanentError, match="LAKE_CACHE_GB"):
        cloud.machine("b").require("demo")
    assert [p for p in (cloud.folder / "b").rglob("*") if p.is_file()] == []
