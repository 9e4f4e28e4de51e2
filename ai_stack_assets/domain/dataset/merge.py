"""Three sources into one table: exact duplicates become one record that keeps every place it was found at.

Two passes. The first holds what the choice of the representative needs, 100 bytes a row: hash, id, a few numbers. The second
streams the rows and lets the representatives through. Only the places of rows that have twins are held as well.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol

from ai_stack_assets.domain.dataset import records

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa

    from ai_stack_assets.domain.dataset.stage import Parts

RECORDS = "records"
CODE_VERSION = "1"
_RANKED = ("content_hash", "id", "source", "is_publishable", "doc_comment", "changed_at", "stars")
_PLACES, _SHOWN = "provenances", 20


class Rows(Protocol):
    """A version of a source, or a view of one."""

    def batches(
        self, table: str, columns: Sequence[str] | None = None, rows: int = 8192
    ) -> Iterator[pa.RecordBatch]: ...


def merge(sources: Mapping[str, Rows | None], parts: Parts) -> dict[str, Any]:
    """Write the table `records` of the merged version.

    Rows with an equal `content_hash` become one: the one that is publishable, then has a doc comment, then changed last (an
    unknown time is the oldest), then has more stars, then has the smallest id. Its columns stay together, licence and place
    included: a record is published, if at all, under the licence of the place it stands for. `provenances` holds the places
    of all of them, that of the record first, the others in order, each once.

    Args:
        sources: version with a table `records` by source; None for one that failed. Their order does not matter.
        parts: where the table goes: in the order of `records.SOURCES`, and of the rows in each.

    Returns:
        Facts: `rows_in` and `kept` by source, `missing_sources`, `rows_out`, `exact_duplicates` and the same by pair of sources
        (`github ← postgres`: kept from the first, dropped from the second), `upgraded`: records whose licence comes from a
        publishable twin while another place is private, `repeated_ids` (a fault of a source) with at most 20 of them.
    """
    import pyarrow as pa

    versions = [(name, sources[name]) for name in records.SOURCES if sources.get(name)]
    found = [version for _, version in versions if version]
    ranks = _ranks(found)
    kept, group = _representatives(ranks)
    facts = _facts(ranks, kept, group)
    places = _places_by_group(found, group, kept)
    parts.write(RECORDS, records.schema().empty_table())
    position = records.schema().get_field_index(_PLACES)
    start = 0
    for batch in _batches(found, list(records.COLUMNS)):
        here = slice(start, start + batch.num_rows)
        start += batch.num_rows
        rows = pa.Table.from_batches([batch.filter(pa.array(kept[here]))])
        own = rows[_PLACES].to_pylist() if rows.num_rows else []
        merged = [places.pop(int(g), place) for g, place in zip(group[here][kept[here]], own, strict=True)]
        column = pa.array(merged, records.schema().field(position).type)
        parts.write(RECORDS, rows.set_column(position, records.schema().field(position), column))
    facts["missing_sources"] = [name for name in records.SOURCES if not sources.get(name)]
    return facts


def _batches(versions: Sequence[Rows], columns: list[str]) -> Iterator[pa.RecordBatch]:
    for version in versions:
        yield from version.batches(RECORDS, columns)


def _ranks(versions: Sequence[Rows]) -> pa.Table:
    """What the choice needs, a row each: hash and id as bytes, the text of the doc comment as a flag."""
    import pyarrow as pa
    import pyarrow.compute as pc

    rows = []
    for batch in _batches(versions, list(_RANKED)):
        time = pc.fill_null(pc.cast(batch["changed_at"], pa.int64()), -(2**63))
        has_doc = pc.greater(pc.utf8_length(pc.utf8_trim_whitespace(batch["doc_comment"])), 0)
        columns = {
            "hash": batch["content_hash"].cast(pa.large_binary()),
            "id": batch["id"].cast(pa.large_binary()),
            "source": batch["source"].dictionary_encode().cast(pa.dictionary(pa.int32(), pa.string())),
            "is_publishable": batch["is_publishable"],
            "has_doc": has_doc,
            "time": time,
            "stars": batch["stars"],
        }
        rows.append(pa.table(columns))
    return pa.concat_tables(rows).unify_dictionaries() if rows else pa.table({"hash": [], "id": []})


def _representatives(ranks: pa.Table) -> tuple[np.ndarray, np.ndarray]:
    """Which rows are kept (bool), and the number of each row's group, in the order of the rows."""
    import numpy as np
    import pyarrow.compute as pc

    if not ranks.num_rows:
        return np.zeros(0, bool), np.zeros(0, np.int64)
    order = pc.sort_indices(
        ranks,
        sort_keys=[
            ("hash", "ascending"),
            *((name, "descending") for name in ("is_publishable", "has_doc", "time", "stars")),
            ("id", "ascending"),
        ],
    )
    hashes = ranks["hash"].take(order).combine_chunks()
    starts = np.ones(len(order), bool)
    starts[1:] = pc.not_equal(hashes[1:], hashes[:-1]).to_numpy(zero_copy_only=False)
    at = order.to_numpy()
    kept, group = np.zeros(len(at), bool), np.empty(len(at), np.int64)
    kept[at[starts]] = True
    group[at] = np.cumsum(starts) - 1
    return kept, group


def _places_by_group(
    versions: Sequence[Rows], group: np.ndarray, kept: np.ndarray
) -> dict[int, list[dict[str, Any]]]:
    """All places of the groups that have more than one row: that of the record first."""
    import numpy as np
    import pyarrow as pa

    has_twins = np.bincount(group, minlength=1)[group] > 1 if len(group) else kept
    found: dict[int, list[tuple]] = {}
    start = 0
    for batch in _batches(versions, [_PLACES]):
        here = slice(start, start + batch.num_rows)
        start += batch.num_rows
        rows = batch.filter(pa.array(has_twins[here]))[_PLACES].to_pylist()
        chosen = has_twins[here]
        for number, is_first, places in zip(group[here][chosen], kept[here][chosen], rows, strict=True):
            ordered = [(not (is_first and i == 0), *place.values()) for i, place in enumerate(places)]
            found.setdefault(int(number), []).extend(ordered)
    names = [field.name for field in records.schema().field(_PLACES).type.value_type]
    return {
        number: [
            dict(zip(names, place, strict=True)) for place in dict.fromkeys(p[1:] for p in sorted(places))
        ]
        for number, places in found.items()
    }


def _facts(ranks: pa.Table, kept: np.ndarray, group: np.ndarray) -> dict[str, Any]:
    import numpy as np

    if not ranks.num_rows:
        return {
            "rows_in": {},
            "kept": {},
            "rows_out": 0,
            "exact_duplicates": 0,
            "exact_duplicates_by_pair": {},
            "upgraded": 0,
            "repeated_ids": {"count": 0, "sample": []},
        }
    coded = ranks["source"].combine_chunks()
    names, source = coded.dictionary.to_pylist(), coded.indices.to_numpy()
    is_publishable = ranks["is_publishable"].to_numpy()
    of_group = np.empty(int(group.max()) + 1, source.dtype)
    of_group[group[kept]] = source[kept]
    pairs = Counter(zip(of_group[group[~kept]].tolist(), source[~kept].tolist(), strict=True))
    has_private = np.zeros(len(of_group), bool)
    has_private[group[~is_publishable]] = True
    return {
        "rows_in": {names[code]: n for code, n in sorted(Counter(source.tolist()).items())},
        "kept": {names[code]: n for code, n in sorted(Counter(source[kept].tolist()).items())},
        "rows_out": int(kept.sum()),
        "exact_duplicates": int((~kept).sum()),
        "exact_duplicates_by_pair": {f"{names[a]} ← {names[b]}": n for (a, b), n in sorted(pairs.items())},
        "upgraded": int((has_private[group] & kept & is_publishable).sum()),
        "repeated_ids": _repeated(ranks["id"].filter(kept)),
    }


def _repeated(ids: pa.ChunkedArray) -> dict[str, Any]:
    import pyarrow.compute as pc

    counts = pc.value_counts(ids)
    repeated = counts.field("values").filter(pc.greater(counts.field("counts"), 1))
    return {"count": len(repeated), "sample": sorted(name.decode() for name in repeated.to_pylist())[:_SHOWN]}
