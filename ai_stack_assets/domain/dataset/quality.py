"""The stage that decides what is good and safe enough to publish: filters, redaction and score, by batches, in several processes.

A record goes through all three on its own; only what two records have in common after redaction is looked at together.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Executor, Future, ProcessPoolExecutor
from dataclasses import dataclass, field
from functools import cache, partial
from typing import TYPE_CHECKING, Any

from ai_stack_assets.domain.common.hashing import text_hash
from ai_stack_assets.domain.dataset import records
from ai_stack_assets.domain.dataset.filters import FilterSettings, reason_against
from ai_stack_assets.domain.dataset.quality_sample import Sample
from ai_stack_assets.domain.dataset.quality_score import quality_score
from ai_stack_assets.domain.dataset.redaction import (
    PLACEHOLDER,
    RedactionSettings,
    detectors,
    literals_and_comments,
    redact,
)

if TYPE_CHECKING:
    import pyarrow as pa

    from ai_stack_assets.domain.common.lake import Version
    from ai_stack_assets.domain.dataset.stage import Parts

CODE_VERSION = "2"
RECORDS, REJECTED, REDACTIONS = "records", "rejected", "redactions"
DUPLICATE = "duplicate_after_redaction"
BINS = 20
"""Of the score's histogram."""
_TEXTS = ("code", "doc_comment", "signature")
_BATCH = 2_048
INLINE_ROWS = 10_000
"""Up to so many, starting processes costs more than it saves."""


@dataclass(frozen=True)
class QualitySettings:
    filters: FilterSettings = field(default_factory=FilterSettings)
    redaction: RedactionSettings = field(default_factory=RedactionSettings)
    least_mean_score: float = 0.8
    """The mean of the kept records must exceed it, or nothing is published."""


@cache
def rejected_schema() -> pa.Schema:
    """A record as it came, and why it was left out."""
    import pyarrow as pa

    why = {
        "reason": "Name of the rule that speaks against it",
        "detail": "What the rule saw; the id of the record that stays, for a duplicate",
    }
    added = [pa.field(n, pa.string(), nullable=False, metadata={"description": m}) for n, m in why.items()]
    return pa.schema([*records.schema(), *added])


@cache
def redactions_schema() -> pa.Schema:
    """One replacement. What was replaced is kept nowhere."""
    import pyarrow as pa

    columns = {
        "record_id": (pa.string(), "`records.id`"),
        "column": (pa.string(), "`code`, `doc_comment` or `signature`"),
        "kind": (pa.string(), "`email`, `password`, `person`…: the placeholder in lower case"),
        "line": (pa.int32(), "Line of the placeholder in the text, from 1"),
        "position": (pa.int32(), "Characters before the placeholder in the text"),
    }
    return pa.schema(
        pa.field(n, t, nullable=False, metadata={"description": m}) for n, (t, m) in columns.items()
    )


def refine(version: Version, parts: Parts, settings: QualitySettings, *, workers: int = 1) -> dict[str, Any]:
    """Write the tables `records`, `rejected` and `redactions` of the filtered version. Rows keep their order.

    Every row of the input is in exactly one of the first two. Kept rows have `quality_score`; where something was redacted, the
    text is the redacted one and `content_hash` is that of the text that is published, so that it can be checked against it. Of
    records that became equal by redaction the first stays. Rejected rows stay as they came, unredacted: never publish them.

    Args:
        version: with a table `records`.
        workers: processes; 1 works in this one.

    Returns:
        Facts: `rows_in`, `rows_out`, `rejected` by reason, `redactions` by kind, `redacted_records`, `mean_score`,
        `mean_score_publishable` (None without rows) and `score_histogram` (`BINS` counts from 0 to 1).
    """
    tally, known = _Tally(), {}
    for table, schema in (
        (RECORDS, records.schema()),
        (REJECTED, rejected_schema()),
        (REDACTIONS, redactions_schema()),
    ):
        parts.write(table, schema.empty_table())
    batches = version.batches(RECORDS, list(records.COLUMNS), _BATCH)
    for examined in _in_order(partial(examine, settings=settings), batches, workers, version.rows(RECORDS)):
        kept, repeated = _without_repeats(examined, known)
        parts.write(RECORDS, kept)
        parts.write(REJECTED, examined.rejected)
        if repeated.num_rows:
            parts.write(REJECTED, repeated)
        parts.write(REDACTIONS, examined.redactions)
        tally.add(kept, (examined.rejected, repeated), examined.redactions)
    return tally.facts()


@dataclass(frozen=True)
class Examined:
    """What one batch came to."""

    kept: pa.Table
    rejected: pa.Table
    redactions: pa.Table
    marked: list[int]
    """Rows of `kept` whose code holds a placeholder: only these can have become equal to others."""


def examine(batch: pa.RecordBatch, settings: QualitySettings) -> Examined:
    """Filter, redact and score the rows of a batch."""
    import pyarrow as pa

    rows = batch.select(["id", "content_hash", *_TEXTS]).to_pylist()
    reasons: list[tuple[str, str] | None] = []
    scores, findings = [], []
    for row in rows:
        sample = Sample(row)
        reason = reason_against(sample, settings.filters)
        reasons.append(reason)
        if reason:
            continue
        if found := _redact(row, sample, settings.redaction):
            findings += found
            sample = Sample(row)
        scores.append(quality_score(sample))
    good = [row for row, reason in zip(rows, reasons, strict=True) if not reason]
    is_good = pa.array([reason is None for reason in reasons], pa.bool_())
    kept = pa.Table.from_batches([batch.filter(is_good)])
    for name in (*_TEXTS, "content_hash"):
        kept = _with(kept, name, [row[name] for row in good])
    kept = _with(kept, "quality_score", scores)
    rejected = _rejected(batch.filter(pa.array([r is not None for r in reasons])), [r for r in reasons if r])
    marked = [i for i, row in enumerate(good) if "<" in row["code"] and PLACEHOLDER.search(row["code"])]
    return Examined(kept, rejected, pa.Table.from_pylist(findings, redactions_schema()), marked)


def _redact(row: dict[str, Any], sample: Sample, settings: RedactionSettings) -> list[dict[str, Any]]:
    """Replace in the row's texts. Returns rows of `redactions`."""
    found = []
    in_signature = literals_and_comments(row["signature"]) if '"' in row["signature"] else []
    for name, spans in (("code", sample.spans), ("doc_comment", None), ("signature", in_signature)):
        if row[name] and spans != []:
            row[name], findings = redact(row[name], detectors(settings), spans)
            found += [(name, finding) for finding in findings]
    if any(name == "code" for name, _ in found):
        row["content_hash"] = text_hash(records.normalised(row["code"]))
    return [
        {
            "record_id": row["id"],
            "column": name,
            "kind": finding.kind,
            "line": row[name].count("\n", 0, finding.position) + 1,
            "position": finding.position,
        }
        for name, finding in found
    ]


def _with(table: pa.Table, name: str, values: list[Any]) -> pa.Table:
    import pyarrow as pa

    column = records.schema().field(name)
    return table.set_column(table.schema.get_field_index(name), column, pa.array(values, column.type))


def _rejected(rows: pa.RecordBatch | pa.Table, reasons: list[tuple[str, str]]) -> pa.Table:
    import pyarrow as pa

    why = [pa.array([reason[i] for reason in reasons], pa.string()) for i in (0, 1)]
    return pa.Table.from_arrays([*rows.columns, *why], schema=rejected_schema())


def _without_repeats(examined: Examined, known: dict[str, str]) -> tuple[pa.Table, pa.Table]:
    """Rows that redaction made equal to an earlier one, apart. `known`: hash → id of the marked rows so far."""
    import pyarrow as pa

    kept, why = examined.kept, {}
    hashes, ids = kept["content_hash"], kept["id"]
    for row in examined.marked:
        first = known.setdefault(hashes[row].as_py(), ids[row].as_py())
        if first != ids[row].as_py():
            why[row] = (DUPLICATE, first)
    stays = pa.array([row not in why for row in range(kept.num_rows)], pa.bool_())
    return kept.filter(stays), _rejected(kept.take(pa.array(list(why), pa.int64())), list(why.values()))


def _in_order(work: Any, batches: Iterable[pa.RecordBatch], workers: int, rows: int) -> Iterator[Examined]:
    """Results in the order of the batches; no more batches are under way than keep the processes busy."""
    if workers <= 1 or rows <= INLINE_ROWS:
        yield from map(work, batches)
        return
    import multiprocessing

    # from a clean server process: no threads of the caller come along, the imports are done once
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([__name__])
    with ProcessPoolExecutor(workers, mp_context=context) as pool:
        yield from _windowed(pool, work, batches, 2 * workers)


def _windowed(pool: Executor, work: Any, batches: Iterable[pa.RecordBatch], most: int) -> Iterator[Examined]:
    waiting: deque[Future[Examined]] = deque()
    for batch in batches:
        waiting.append(pool.submit(work, batch))
        if len(waiting) >= most:
            yield waiting.popleft().result()
    while waiting:
        yield waiting.popleft().result()


class _Tally:
    def __init__(self) -> None:
        self.reasons: Counter[str] = Counter()
        self.kinds: Counter[str] = Counter()
        self.histogram = [0] * BINS
        self.sums = {False: [0, 0.0], True: [0, 0.0]}
        self.redacted = 0

    def add(self, kept: pa.Table, rejected: Iterable[pa.Table], redactions: pa.Table) -> None:
        for table in rejected:
            self.reasons.update(table["reason"].to_pylist())
        self.kinds.update(redactions["kind"].to_pylist())
        self.redacted += len(redactions["record_id"].unique())
        for score, is_publishable in zip(
            kept["quality_score"].to_pylist(), kept["is_publishable"].to_pylist(), strict=True
        ):
            self.histogram[min(BINS - 1, int(score * BINS))] += 1
            total = self.sums[is_publishable]
            total[0] += 1
            total[1] += score

    def facts(self) -> dict[str, Any]:
        (private, private_sum), (public, public_sum) = self.sums[False], self.sums[True]
        rows_out = private + public
        return {
            "rows_in": rows_out + self.reasons.total(),
            "rows_out": rows_out,
            "rejected": dict(self.reasons.most_common()),
            "redactions": dict(self.kinds.most_common()),
            "redacted_records": self.redacted,
            "mean_score": round((private_sum + public_sum) / rows_out, 4) if rows_out else None,
            "mean_score_publishable": round(public_sum / public, 4) if public else None,
            "score_histogram": self.histogram,
        }
