"""What was published, downloaded again and compared with what should have been: one finding per property."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
import yaml

from ai_stack_assets.domain.common.hashing import sha256_file, text_hash
from ai_stack_assets.domain.dataset import records
from ai_stack_assets.domain.dataset.publishing.export import SPLITS, Digest, read_jsonl

if TYPE_CHECKING:
    import pyarrow as pa

CODE_VERSION = "1"
_SAMPLE = 20


@dataclass(frozen=True)
class Finding:
    """One property of the published revision. `sample`: at most 20 things that break it."""

    name: str
    passed: bool
    actual: Any
    threshold: Any
    sample: tuple[str, ...]


@dataclass(frozen=True)
class Downloaded:
    """A revision in a local folder, beside the statistics that it should agree with."""

    folder: Path
    expected: Mapping[str, Any]

    @cached_property
    def parquet(self) -> dict[str, list[Path]]:
        return {split: sorted((self.folder / "data").glob(f"{split}-*.parquet")) for split in SPLITS}

    @cached_property
    def jsonl(self) -> dict[str, list[Path]]:
        return {split: sorted((self.folder / "jsonl").glob(f"{split}-*.jsonl.zst")) for split in SPLITS}

    @cached_property
    def digest(self) -> str:
        """Of every file's name and bytes, of what is expected, and of how they are compared."""
        names = sorted(
            str(path.relative_to(self.folder)) for path in self.folder.rglob("*") if path.is_file()
        )
        # what begins with a dot is the client's own
        found = [(name, sha256_file(self.folder / name)) for name in names if not name.startswith(".")]
        return text_hash(msgspec.json.encode([CODE_VERSION, found, self.expected], order="sorted").decode())

    @cached_property
    def facts(self) -> dict[str, dict[str, Any]]:
        """By split: rows, digest and ids of broken rows, read from both forms in one pass each."""
        return {split: _facts(self.parquet[split], self.jsonl[split]) for split in SPLITS}


def validate(published: Downloaded) -> list[Finding]:
    """All properties. Reads every row once."""
    return [Finding(name, *_outcome(prove(published))) for name, prove in PROPERTIES.items()]


def _row_counts(p: Downloaded) -> Iterator[tuple[str, bool]]:
    for split in SPLITS:
        for form in ("parquet", "jsonl"):
            yield f"{split}, {form}", p.facts[split][form]["rows"] == p.expected["splits"][split]["rows"]


def _files(p: Downloaded) -> Iterator[tuple[str, bool]]:
    wanted = {name: sha for split in SPLITS for name, sha in p.expected["splits"][split]["files"].items()}
    there = {f"{folder}/{f.name}" for folder in ("data", "jsonl") for f in (p.folder / folder).glob("*")}
    for name in sorted(wanted.keys() | there):
        yield name, name in there and wanted.get(name) == sha256_file(p.folder / name)


def _schema(p: Downloaded) -> Iterator[tuple[str, bool]]:
    import pyarrow.parquet as pq

    for files in p.parquet.values():
        for file in files:
            yield file.name, pq.read_schema(file).equals(records.schema())


def _digests(p: Downloaded) -> Iterator[tuple[str, bool]]:
    for split in SPLITS:
        for form in ("parquet", "jsonl"):
            yield f"{split}, {form}", p.facts[split][form]["digest"] == p.expected["splits"][split]["digest"]


def _hashes(p: Downloaded) -> Iterator[tuple[str, bool]]:
    for facts in p.facts.values():
        yield from ((name, False) for name in facts["parquet"]["wrong_hash"])


def _licences(p: Downloaded) -> Iterator[tuple[str, bool]]:
    for facts in p.facts.values():
        yield from ((name, False) for name in facts["parquet"]["not_publishable"])


def _crossing(p: Downloaded) -> Iterator[tuple[str, bool]]:
    seen: dict[str, str] = {}
    for split, facts in p.facts.items():
        for content in facts["parquet"]["hashes"]:
            yield content, seen.setdefault(content, split) == split


def _card(p: Downloaded) -> Iterator[tuple[str, bool]]:
    said = msgspec.json.decode((p.folder / "statistics.json").read_bytes())
    yield "statistics.json", said == msgspec.to_builtins(p.expected)
    header = yaml.safe_load((p.folder / "README.md").read_text(encoding="utf-8").split("---\n")[1])
    counts = {s["name"]: s["num_examples"] for s in header["dataset_info"]["splits"]}
    for split in SPLITS:
        yield f"README.md, {split}", counts.get(split) == p.expected["splits"][split]["rows"]


PROPERTIES: dict[str, Callable[[Downloaded], Iterator[tuple[str, bool]]]] = {
    "row_counts_match": _row_counts,
    "files_are_what_was_exported": _files,
    "schema_matches": _schema,
    "rows_match_in_both_forms": _digests,
    "content_hashes_are_of_the_code": _hashes,
    "only_publishable_rows": _licences,
    "no_content_crosses_splits": _crossing,
    "card_matches": _card,
}
"""Name → what was looked at and whether it holds."""

DESCRIPTIONS = {
    "row_counts_match": "Each split has as many rows as were exported, in Parquet and in JSONL.",
    "files_are_what_was_exported": "Every file has the SHA-256 of the exported one; none is missing, none is left over.",
    "schema_matches": "Every Parquet file has the columns and types of a record.",
    "rows_match_in_both_forms": "Ids and content hashes are those of the export, in order, in Parquet and in JSONL.",
    "content_hashes_are_of_the_code": "`content_hash` is the hash of `code` in every row.",
    "only_publishable_rows": "No row that its licence or its owner keeps from being published.",
    "no_content_crosses_splits": "No content hash is in two splits.",
    "card_matches": "The card and the statistics tell of this revision.",
}


def _outcome(looked_at: Iterator[tuple[str, bool]]) -> tuple[bool, int, int, tuple[str, ...]]:
    wrong = [name for name, holds in looked_at if not holds]
    return not wrong, len(wrong), 0, tuple(wrong[:_SAMPLE])


def _facts(parquet: list[Path], jsonl: list[Path]) -> dict[str, Any]:
    rows, digest = 0, Digest()
    wrong_hash: list[str] = []
    not_publishable: list[str] = []
    hashes: set[str] = set()
    for table in _parquet_rows(parquet):
        rows += table.num_rows
        digest.add(table)
        columns = (table[name].to_pylist() for name in ("id", "content_hash", "code", "is_publishable"))
        for name, content, code, is_publishable in zip(*columns, strict=True):
            hashes.add(content)
            if content != text_hash(records.normalised(code)):
                wrong_hash.append(name)
            if not is_publishable:
                not_publishable.append(name)
    first = {"rows": rows, "digest": digest.hex(), "hashes": hashes}
    rows, digest = 0, Digest()
    for file in jsonl:
        with file.open("rb") as stream:
            for table in read_jsonl(stream):
                rows += table.num_rows
                digest.add(table)
    return {
        "parquet": {**first, "wrong_hash": wrong_hash, "not_publishable": not_publishable},
        "jsonl": {"rows": rows, "digest": digest.hex()},
    }


def _parquet_rows(files: list[Path]) -> Iterator[pa.RecordBatch]:
    import pyarrow.parquet as pq

    for file in files:
        yield from pq.ParquetFile(file).iter_batches(
            8192, columns=["id", "content_hash", "code", "is_publishable"]
        )
