"""What a published revision says about itself in numbers: `statistics.json`, from which the card is written.

Only of the public rows; nothing of private sources but how many rows they gave. No time of its making: equal data, equal file.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ai_stack_assets.domain.dataset import records
from ai_stack_assets.domain.dataset.publishing.export import PUBLIC, SPLITS

if TYPE_CHECKING:
    from ai_stack_assets.domain.common.lake import Version

SCORE_BINS = 10


def statistics(
    week: str, parquet: Version, jsonl: Version, stages: Mapping[str, Mapping[str, Any]]
) -> dict[str, Any]:
    """All numbers of a revision.

    Args:
        week: first day of the partition, `2026-11-15`.
        parquet: exported shards, as `export` left them (`facts`: what it returned).
        jsonl: the same rows.
        stages: what the stages before counted, by stage (`merged`, `deduplicated`, `filtered`…): shown as it is.
    """
    licences: Counter[str] = Counter()
    modules: Counter[str] = Counter()
    scores = [0] * SCORE_BINS
    total_score, rows, tokens, documented = 0.0, 0, 0, 0
    repositories: dict[tuple[str, str, str], int] = {}
    for batch in _public(parquet):
        licences.update(batch["licence"].to_pylist())
        modules.update(batch["module_type"].to_pylist())
        places = zip(*(batch[name].to_pylist() for name in ("repository", "commit", "licence")), strict=True)
        for place, count in Counter(places).items():
            repositories[place] = repositories.get(place, 0) + count
        for score in batch["quality_score"].to_pylist():
            scores[min(int(score * SCORE_BINS), SCORE_BINS - 1)] += 1
            total_score += score
        rows += batch.num_rows
        tokens += sum(batch["tokens"].to_pylist())
        documented += sum(map(bool, batch["doc_comment"].to_pylist()))
    return {
        "week": week,
        "rows": rows,
        "tokens": tokens,
        "documented_rows": documented,
        "splits": {split: _split(parquet, jsonl, split) for split in SPLITS},
        "licences": dict(sorted(licences.items())),
        "module_types": dict(modules.most_common()),
        "repositories": [
            {"repository": name, "commit": commit, "licence": licence, "rows": count}
            for (name, commit, licence), count in sorted(repositories.items())
        ],
        "quality": {"mean": round(total_score / rows, 4) if rows else 0.0, "histogram": scores},
        "columns": {name: kind for name, (kind, _) in records.COLUMNS.items()},
        "stages": {name: dict(facts) for name, facts in stages.items()},
    }


def _public(parquet: Version) -> Any:
    import pyarrow.parquet as pq

    columns = ["licence", "module_type", "repository", "commit", "quality_score", "tokens", "doc_comment"]
    for part in parquet.parts(PUBLIC):
        yield from pq.ParquetFile(part).iter_batches(8192, columns=columns)


def _split(parquet: Version, jsonl: Version, split: str) -> dict[str, Any]:
    first, second = (version.manifest["facts"][PUBLIC][split] for version in (parquet, jsonl))
    return {
        "rows": first["rows"],
        "digest": first["digest"],
        "parquet_bytes": first["bytes"],
        "jsonl_bytes": second["bytes"],
        "files": {
            **{f"data/{name}": facts["sha256"] for name, facts in first["files"].items()},
            **{f"jsonl/{name}": facts["sha256"] for name, facts in second["files"].items()},
        },
    }
