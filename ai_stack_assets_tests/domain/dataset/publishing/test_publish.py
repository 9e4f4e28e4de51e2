"""Publishing to a folder and to the double of the Hub: whole revisions, no needless ones, and every fault on the way."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from ai_stack_assets.domain.common.failures import PermanentError, TransientError
from ai_stack_assets.domain.dataset.publishing import hub as publishing
from ai_stack_assets.domain.dataset.publishing import huggingface as adapter
from ai_stack_assets.domain.dataset.publishing.folder import FolderHub
from ai_stack_assets.domain.dataset.publishing.hub import Hub, publish
from ai_stack_assets.domain.dataset.publishing.huggingface import HuggingFaceHub
from ai_stack_assets_tests.domain.dataset.publishing.conftest import WEEK, Exported, exported, splits
from ai_stack_assets_tests.servers import hub as hub_double

SHARDS = {f"data/{s}-00000-of-00001.parquet" for s in ("train", "validation", "test")} | {
    f"jsonl/{s}-00000-of-00001.jsonl.zst" for s in ("train", "validation", "test")
}


@pytest.fixture(autouse=True)
def no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(adapter, "_FIRST_WAIT", 0)


def files(hub: Hub, folder: Path, revision: str = "main") -> dict[str, bytes]:
    got = hub.download(revision, folder / f"got-{revision}")
    found = (p for p in got.rglob("*") if p.is_file() and not {".cache", ".gitattributes"} & set(p.parts))
    return {p.relative_to(got).as_posix(): p.read_bytes() for p in found}


def test_what_is_published_is_what_was_exported(hub: Hub, dataset: Exported, tmp_path: Path) -> None:
    published = publish(hub, dataset.files, WEEK, "week")
    assert published.is_new and published.tag == WEEK
    for revision in ("main", WEEK, published.commit):
        got = files(hub, tmp_path, revision)
        assert set(got) == SHARDS | {"README.md", "statistics.json"}
        assert all(got[name] == path.read_bytes() for name, path in dataset.files.items())


def test_an_unchanged_week_makes_no_new_commit(hub: Hub, dataset: Exported) -> None:
    first, second = (publish(hub, dataset.files, WEEK, "week") for _ in range(2))
    assert (second.commit, second.is_new) == (first.commit, False)


def test_the_next_week_replaces_the_files_and_the_week_before_stays_at_its_tag(
    hub: Hub, dataset: Exported, tmp_path: Path
) -> None:
    publish(hub, dataset.files, WEEK, "week")
    before = files(hub, tmp_path)
    smaller = exported(tmp_path, splits(tmp_path, rows=12), "2026-11-22")
    without_jsonl = {name: path for name, path in smaller.files.items() if not name.startswith("jsonl/")}
    publish(hub, without_jsonl, "2026-11-22", "week")
    assert files(hub, tmp_path, WEEK) == before
    now = files(hub, tmp_path, "2026-11-22")
    assert set(now) == set(without_jsonl)
    assert now["README.md"] == smaller.files["README.md"].read_bytes()


def test_a_week_published_again_with_other_rows_moves_its_tag(
    hub: Hub, dataset: Exported, tmp_path: Path
) -> None:
    first, card = publish(hub, dataset.files, WEEK, "week"), dataset.files["README.md"].read_bytes()
    second = publish(hub, exported(tmp_path, splits(tmp_path, rows=12)).files, WEEK, "again")
    assert second.commit != first.commit
    assert files(hub, tmp_path, WEEK)["README.md"] != card == files(hub, tmp_path, first.commit)["README.md"]


def test_a_branch_of_an_old_week_leaves_main_alone(hub: Hub, dataset: Exported, tmp_path: Path) -> None:
    main = publish(hub, dataset.files, WEEK, "week")
    old = exported(tmp_path, splits(tmp_path, rows=12), "2026-11-08")
    publish(hub, old.files, "2026-11-08", "old week", branch="weeks-2026-11-08")
    assert hub.head("main").commit == main.commit
    assert files(hub, tmp_path, "2026-11-08")["README.md"] == old.files["README.md"].read_bytes()


def test_the_first_revision_of_a_branch_has_nothing_of_another_week(
    hub: Hub, dataset: Exported, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from ai_stack_assets.domain.dataset.publishing import export

    publish(hub, dataset.files, WEEK, "week")
    monkeypatch.setattr(export, "ROWS_PER_SHARD", 7)
    old = exported(tmp_path / "old", splits(tmp_path / "old", rows=20), "2026-11-08")
    publish(hub, old.files, "2026-11-08", "old week", branch="week-2026-11-08")
    assert set(files(hub, tmp_path, "2026-11-08")) == set(old.files)


def test_an_old_week_that_is_at_its_tag_is_not_published_again(
    hub: Hub, dataset: Exported, tmp_path: Path
) -> None:
    first = publish(hub, dataset.files, WEEK, "week")
    publish(hub, exported(tmp_path, splits(tmp_path, rows=12), "2026-11-22").files, "2026-11-22", "week")
    again = publish(hub, dataset.files, WEEK, "week", branch=f"week-{WEEK}")
    assert (again.commit, again.is_new) == (first.commit, False)


def test_files_of_others_in_the_repository_stay(
    huggingface: HuggingFaceHub, dataset: Exported, tmp_path: Path
) -> None:
    notes = tmp_path / "LICENSE"
    notes.write_text("terms")
    with pytest.raises(publishing.StaleParent):
        huggingface.commit("main", None, {"LICENSE": notes}, [], "the repository is made first")
    huggingface.commit("main", huggingface.head("main"), {"LICENSE": notes}, [], "by hand")
    publish(huggingface, dataset.files, WEEK, "week")
    assert {"LICENSE", ".gitattributes"} <= set(huggingface.head("main").files)


def test_one_commit_holds_the_whole_revision(
    huggingface: HuggingFaceHub, double: hub_double.Hub, dataset: Exported
) -> None:
    publish(huggingface, dataset.files, WEEK, "week")
    [_, whole] = double.repositories["owner/bsl"].commits
    assert set(dataset.files) < set(double.repositories["owner/bsl"].trees[whole])


def test_a_commit_of_someone_else_in_between_is_taken_into_account(
    huggingface: HuggingFaceHub, double: hub_double.Hub, dataset: Exported, tmp_path: Path
) -> None:
    note = tmp_path / "NOTES.txt"
    note.write_text("x")

    def intrude(_: hub_double.Hub) -> None:
        HuggingFaceHub("owner/bsl", double.url, hub_double.TOKEN).commit(
            "main", huggingface.head("main"), {"NOTES.txt": note}, [], "someone else"
        )

    double.faults.append(("POST .*/commit/", intrude))
    publish(huggingface, dataset.files, WEEK, "week")
    assert {"NOTES.txt", *dataset.files} <= set(huggingface.head("main").files)
    assert len(double.repositories["owner/bsl"].commits) == 3


def test_a_branch_that_keeps_moving_ends_with_a_transient_failure(dataset: Exported, tmp_path: Path) -> None:
    class Moving(FolderHub):
        def commit(self, *_: object) -> str:
            raise publishing.StaleParent

    with pytest.raises(TransientError, match="moved 4 times"):
        publish(Moving(tmp_path, "owner/bsl"), dataset.files, WEEK, "week")


@pytest.mark.parametrize("cut", ["cut before", "cut after"])
@pytest.mark.parametrize(
    "at", ["POST .*/commit/", "POST .*/tag/", "PUT /_lfs/", "POST .*/preupload/", "GET .*/tree/"]
)
def test_a_cut_connection_is_survived_and_commits_once(
    huggingface: HuggingFaceHub, double: hub_double.Hub, dataset: Exported, cut: str, at: str
) -> None:
    double.faults.append((at, cut))
    publish(huggingface, dataset.files, WEEK, "week")
    assert not double.faults
    repository = double.repositories["owner/bsl"]
    assert len(repository.commits) == 2 and repository.tags == {WEEK: repository.commits[-1]}


@pytest.mark.parametrize("status", [429, 500, 503])
def test_a_busy_hub_is_asked_again(
    huggingface: HuggingFaceHub, double: hub_double.Hub, dataset: Exported, status: int
) -> None:
    double.faults.append(("POST .*/preupload/", status))
    publish(huggingface, dataset.files, WEEK, "week")
    assert len(double.repositories["owner/bsl"].commits) == 2


def test_a_hub_that_stays_down_is_transient_and_nothing_is_half_published(
    huggingface: HuggingFaceHub, double: hub_double.Hub, dataset: Exported
) -> None:
    publish(huggingface, {"README.md": dataset.files["README.md"]}, "2026-11-08", "week before")
    before = huggingface.head("main")
    double.faults += [("POST .*/commit/", 503)] * 20
    with pytest.raises(TransientError, match="HF_ENDPOINT"):
        publish(huggingface, dataset.files, WEEK, "week")
    assert huggingface.head("main") == before


def test_a_wrong_token_names_the_setting_and_is_not_retried(
    double: hub_double.Hub, dataset: Exported
) -> None:
    with pytest.raises(PermanentError, match="HF_TOKEN"):
        publish(HuggingFaceHub("owner/bsl", double.url, "wrong"), dataset.files, WEEK, "week")
    assert len(double.requests) <= 2


def test_an_unreachable_hub_names_the_setting(dataset: Exported) -> None:
    with pytest.raises(TransientError, match="HF_ENDPOINT"):
        publish(HuggingFaceHub("owner/bsl", "http://127.0.0.1:9", "x"), dataset.files, WEEK, "week")


def test_a_new_repository_is_private_unless_said(double: hub_double.Hub, dataset: Exported) -> None:
    publish(HuggingFaceHub("owner/bsl", double.url, hub_double.TOKEN), dataset.files, WEEK, "week")
    publish(
        HuggingFaceHub("owner/open", double.url, hub_double.TOKEN, is_private=False),
        dataset.files,
        WEEK,
        "week",
    )
    assert [double.repositories[n].is_private for n in ("owner/bsl", "owner/open")] == [True, False]


def test_large_files_travel_by_xet_where_the_hub_offers_it(dataset: Exported, tmp_path: Path) -> None:
    with hub_double.hub(xet_folder=tmp_path / "cas") as state:
        publish(HuggingFaceHub("owner/bsl", state.url, hub_double.TOKEN), dataset.files, WEEK, "week")
        assert any("xet-write-token" in line for line in state.requests)
        assert not any("lfs/objects/batch" in line for line in state.requests)
        assert any((tmp_path / "cas").rglob("*"))
        assert len(state.repositories["owner/bsl"].commits) == 2


def test_two_publishers_to_one_folder_both_end_with_whole_revisions(
    dataset: Exported, tmp_path: Path
) -> None:
    other = exported(tmp_path, splits(tmp_path, rows=12), "2026-11-22")
    jobs = [(dataset, WEEK), (other, "2026-11-22")]
    threads = [
        threading.Thread(
            target=publish, args=(FolderHub(tmp_path / "hub", "owner/bsl"), made.files, week, "week")
        )
        for made, week in jobs
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    hub = FolderHub(tmp_path / "hub", "owner/bsl")
    for made, week in jobs:
        assert files(hub, tmp_path, week) == {name: path.read_bytes() for name, path in made.files.items()}


def test_a_revision_that_is_not_there_is_named(hub: Hub, dataset: Exported, tmp_path: Path) -> None:
    publish(hub, dataset.files, WEEK, "week")
    with pytest.raises(PermanentError, match="'1999-01-03'"):
        hub.download("1999-01-03", tmp_path / "x")
