"""What comes back is compared with what went out: each property holds for a sound revision and fails for a damaged one."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import datasets
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import yaml

from ai_stack_assets.domain.common.lake import Lake
from ai_stack_assets.domain.dataset import records, stage
from ai_stack_assets.domain.dataset.publishing import export
from ai_stack_assets.domain.dataset.publishing.folder import FolderHub
from ai_stack_assets.domain.dataset.publishing.hub import publish
from ai_stack_assets.domain.dataset.publishing.validation import PROPERTIES, Downloaded, validate
from ai_stack_assets_tests.domain.dataset.publishing.conftest import WEEK, Exported, exported, row, splits

TRAIN = "data/train-00000-of-00001.parquet"


@pytest.fixture
def downloaded(dataset: Exported, tmp_path: Path) -> Downloaded:
    hub = FolderHub(tmp_path / "hub", "owner/bsl")
    publish(hub, dataset.files, WEEK, "week")
    return Downloaded(hub.download(WEEK, tmp_path / "downloaded"), dataset.statistics)


def broken(published: Downloaded) -> set[str]:
    return {finding.name for finding in validate(published) if not finding.passed}


def test_a_sound_revision_has_every_property(downloaded: Downloaded) -> None:
    assert [finding.name for finding in validate(downloaded)] == list(PROPERTIES)
    assert broken(downloaded) == set()


def rewrite(published: Downloaded, change: Callable[[list[dict]], list[dict]], file: str = TRAIN) -> None:
    path = published.folder / file
    rows = change(pq.read_table(path).to_pylist())
    path.unlink()
    pq.write_table(pa.Table.from_pylist(rows, schema=records.schema()), path)


def test_a_missing_row_is_found(downloaded: Downloaded) -> None:
    rewrite(downloaded, lambda rows: rows[1:])
    assert broken(downloaded) == {
        "row_counts_match",
        "files_are_what_was_exported",
        "rows_match_in_both_forms",
    }


def test_changed_code_is_found(downloaded: Downloaded) -> None:
    rewrite(downloaded, lambda rows: [{**rows[0], "code": "другое"}, *rows[1:]])
    assert broken(downloaded) == {"files_are_what_was_exported", "content_hashes_are_of_the_code"}


def test_a_private_row_is_found(downloaded: Downloaded) -> None:
    rewrite(downloaded, lambda rows: [{**rows[0], "is_publishable": False}, *rows[1:]])
    assert "only_publishable_rows" in broken(downloaded)


def test_a_row_in_two_splits_is_found(downloaded: Downloaded) -> None:
    rewrite(downloaded, lambda rows: [*rows, row(0)])
    assert "no_content_crosses_splits" in broken(downloaded)


def test_a_file_left_over_is_found(downloaded: Downloaded) -> None:
    (downloaded.folder / "jsonl" / "train-00001-of-00002.jsonl.zst").write_bytes(b"")
    [finding] = [f for f in validate(downloaded) if f.name == "files_are_what_was_exported"]
    assert finding.sample == ("jsonl/train-00001-of-00002.jsonl.zst",)


def test_another_column_is_found(downloaded: Downloaded) -> None:
    path = downloaded.folder / TRAIN
    table = pq.read_table(path)
    path.unlink()
    pq.write_table(table.append_column("extra", pa.array([1] * table.num_rows)), path)
    assert "schema_matches" in broken(downloaded)


def test_a_card_of_another_revision_is_found(downloaded: Downloaded) -> None:
    card = downloaded.folder / "README.md"
    text = card.read_text(encoding="utf-8").replace("num_examples: 23", "num_examples: 24")
    card.unlink()
    card.write_text(text, encoding="utf-8")
    assert broken(downloaded) == {"card_matches"}


# ---- what a user of the dataset does with it


@pytest.mark.parametrize("form", ["parquet", "jsonl"])
def test_the_published_folder_opens_with_datasets(dataset: Exported, tmp_path: Path, form: str) -> None:
    hub = FolderHub(tmp_path / "hub", "owner/bsl")
    publish(hub, dataset.files, WEEK, "week")
    shards = {
        split: f"{hub.folder}/main/jsonl/{split}-*.jsonl.zst" for split in ("train", "validation", "test")
    }
    what = {"path": str(hub.folder / "main")} if form == "parquet" else {"path": "json", "data_files": shards}
    opened = datasets.load_dataset(**what, cache_dir=str(tmp_path / "cache"))
    assert {split: rows.num_rows for split, rows in opened.items()} == {
        "train": 23,
        "validation": 3,
        "test": 3,
    }
    assert set(opened["train"].column_names) == set(records.COLUMNS)
    assert opened["test"][0]["code"] == row(1)["code"]
    assert opened["test"][0]["provenances"][0]["repository"] == "owner/library"


def test_the_card_tells_licences_sizes_splits_and_places(dataset: Exported) -> None:
    header, body = dataset.files["README.md"].read_text(encoding="utf-8").split("---\n", 2)[1:]
    facts = yaml.safe_load(header)
    assert facts["license"] == ["mit"] and facts["size_categories"] == ["n<1K"]
    assert [config["config_name"] for config in facts["configs"]] == ["default"]
    assert "owner/library" in body and "29 procedures and functions" in body


def test_private_rows_stay_inside(dataset: Exported) -> None:
    rows = {audience: dataset.parquet.rows(audience) for audience in ("public", "internal")}
    assert rows == {"public": 29, "internal": 30}


def test_private_places_of_public_code_are_not_published(tmp_path: Path) -> None:
    inside = {**row(0)["provenances"][0], "source": "postgres", "repository": "secret-erp"}

    def write(parts: stage.Parts) -> dict:
        for split in ("train", "validation", "test"):
            rows = [{**row(0), "provenances": [*row(0)["provenances"], inside]}] if split == "train" else []
            parts.write(split, pa.Table.from_pylist(rows, schema=records.schema()))
        return {}

    made = exported(tmp_path, stage.build(Lake(tmp_path / "splits"), WEEK, "key", write)[0])
    [public] = pq.read_table(made.files[TRAIN])["provenances"].to_pylist()
    assert [place["repository"] for place in public] == ["owner/library"]
    assert b"secret-erp" not in made.files["statistics.json"].read_bytes()


def test_the_same_rows_give_the_same_bytes(tmp_path: Path) -> None:
    first, second = (exported(tmp_path / n, splits(tmp_path / n)) for n in "ab")
    assert {n: p.read_bytes() for n, p in first.files.items()} == {
        n: p.read_bytes() for n, p in second.files.items()
    }


def test_many_rows_are_cut_into_shards(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(export, "ROWS_PER_SHARD", 10)
    made = exported(tmp_path, splits(tmp_path))
    train = [pq.read_metadata(p).num_rows for n, p in made.files.items() if n.startswith("data/train")]
    assert train == [10, 10, 3]
    assert made.statistics["splits"]["train"]["rows"] == 23
