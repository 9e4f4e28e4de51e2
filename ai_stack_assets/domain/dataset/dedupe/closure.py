"""The looser closure: which records must not be told apart by a split. Wider than duplicates, so that renaming hides nothing.

Two records are in one group when a chain of these links joins them:

- one cluster of near-duplicates, or one content hash;
- one module: the same file of a repository, or the same object and module type of a configuration of the same name;
- J >= 0.5 of token 5-grams, exact, when both have `trivial_shingles` or more;
- one skeleton: equal after identifiers and strings are numbered by first appearance, when they have `trivial_tokens` or more.

Below those sizes methods are alike because there is only one way to write them (an event handler that calls another method), and
linking them would make one group of everything.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import pyarrow as pa

    from ai_stack_assets.domain.common.lake import Version
    from ai_stack_assets.domain.dataset.dedupe.sets import Sets

KEYS = ("id", "content_hash", "repository", "path", "configuration", "object", "module_type")


@dataclass(frozen=True)
class ClosureSettings:
    """Defaults by measurement on seven real configurations in twelve versions, 59,865 records after deduplication: one
    group of 71% of the rows, all others of 0.6% at most. Without the trivial sizes the one is 83%."""

    similarity: float = 0.5
    trivial_shingles: int = 20
    trivial_tokens: int = 40
    threads: int = 2
    memory_bytes: int = 2 << 30
    folder: Path | None = None
    """For what does not fit into memory; default: the system's."""


class Closure:
    """The links of a version's records."""

    def __init__(
        self,
        version: Version,
        clusters: Version | None = None,
        settings: ClosureSettings | None = None,
        tables: tuple[str, ...] = ("records",),
    ) -> None:
        """Args: clusters: version with the table of `deduplicate`. tables: of records, read one after another."""
        import pyarrow as pa

        from ai_stack_assets.domain.dataset import records

        self.settings = settings = settings or ClosureSettings()
        seen = [pa.schema([records.schema().field(name) for name in KEYS]).empty_table()]

        def codes() -> Iterator[pa.Array]:
            for table in tables:
                for batch in version.batches(table, [*KEYS, "code"]):
                    seen.append(pa.Table.from_batches([batch.select(list(KEYS))]))
                    yield batch.column("code")

        from ai_stack_assets.domain.dataset.dedupe.sets import collect

        limit = settings.memory_bytes // 2
        self.sets: Sets = collect(
            codes(), threads=settings.threads, limit_bytes=limit, folder=settings.folder
        )
        # the last one is for the records without tokens
        self._sizes = np.append(self.sets.sizes, 0)
        self.records = pa.concat_tables(seen).combine_chunks()
        self.clusters = self._by_cluster(clusters)
        """Number of each record's cluster, -1 when it has none."""
        self._links = [
            self.column("content_hash"),
            *self.modules(),
            self.clusters,
            self._by_skeleton(),
        ]

    def groups(self, rows: np.ndarray) -> np.ndarray:
        """Group number of each of some records when there are only those."""
        from ai_stack_assets.domain.dataset.dedupe.components import Joiner

        if not len(rows):
            return np.empty(0, np.int64)
        numbers = self.sets.of_text[rows]
        big = np.flatnonzero(self._sizes[numbers] >= max(self.settings.trivial_shingles, 1))
        sets = self.sets.select(rows[big])
        joiner = Joiner(sets, threads=self.settings.threads, limit_bytes=self.settings.memory_bytes // 2)
        alike = np.full(len(rows), -1, np.int64)
        alike[big] = joiner.components(self.settings.similarity)[sets.of_text]
        return connected([alike, *(link[rows] for link in self._links)])

    def touching(self, rows: np.ndarray, others: np.ndarray) -> np.ndarray:
        """Whether each of some records has a link of its own, not a chain, to any of the others."""
        from ai_stack_assets.domain.dataset.dedupe.contamination import nearest

        found = np.zeros(len(rows), bool)
        for link in self._links:
            found |= (link[rows] >= 0) & np.isin(link[rows], link[others])
        big = np.flatnonzero(self._sizes[self.sets.of_text[rows]] >= max(self.settings.trivial_shingles, 1))
        theirs = others[self._sizes[self.sets.of_text[others]] >= max(self.settings.trivial_shingles, 1)]
        if len(big) and len(theirs):
            sets = self.sets.select(rows[big])
            hit = nearest(sets, self.sets.select(theirs), self.settings.similarity) >= 0
            found[big] |= hit[sets.of_text]
        return found

    def modules(self) -> list[np.ndarray]:
        """Module numbers of each record, two ways; -1 when unknown."""
        return [self._joint("repository", "path"), self._joint("configuration", "object", "module_type")]

    def column(self, name: str) -> np.ndarray:
        """Numbers that are equal where the column is; -1 where it is empty."""
        import pyarrow.compute as pc

        values = self.records[name].combine_chunks()
        values = pc.if_else(pc.equal(values, ""), None, values)
        return pc.fill_null(values.dictionary_encode().indices, -1).to_numpy().astype(np.int64)

    def _joint(self, *names: str) -> np.ndarray:
        """The same of several columns; -1 where one of the first two is empty."""
        numbers = np.zeros(self.records.num_rows, np.int64)
        known = np.ones(len(numbers), bool)
        for place, name in enumerate(names):
            column = self.column(name)
            known &= (column >= 0) | (place > 1)
            numbers = numbers * (len(column) + 1) + column + 1
            numbers = np.unique(numbers, return_inverse=True)[1].astype(np.int64)
        numbers[~known] = -1
        return numbers

    def _by_cluster(self, clusters: Version | None) -> np.ndarray:
        number = np.full(self.records.num_rows, -1, np.int64)
        if clusters is not None:
            import pyarrow.compute as pc

            table = clusters.table("clusters", ["kept_ids"]).combine_chunks()
            owners, ids = pc.list_parent_indices(table["kept_ids"]), pc.list_flatten(table["kept_ids"])
            found = pc.index_in(self.records["id"], ids.combine_chunks()).to_numpy(zero_copy_only=False)
            known = ~np.isnan(found.astype(float))
            number[known] = owners.to_numpy()[found[known].astype(int)]
        return number

    def _by_skeleton(self) -> np.ndarray:
        number = np.unique(self.sets.skeletons, return_inverse=True)[1].astype(np.int64)
        number[self.sets.tokens < self.settings.trivial_tokens] = -1
        return number


def connected(links: list[np.ndarray]) -> np.ndarray:
    """Components of rows that share a number in any of the links; -1 links nothing. Returns a number per row."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    n = len(links[0])
    rows, firsts = [], []
    for link in links:
        known = np.flatnonzero(link >= 0)
        _, first, inverse = np.unique(link[known], return_index=True, return_inverse=True)
        rows.append(known)
        firsts.append(known[first[inverse]])
    a, b = np.concatenate(rows), np.concatenate(firsts)
    graph = coo_array((np.ones(len(a), np.int8), (a, b)), shape=(n, n))
    return connected_components(graph, directed=False)[1].astype(np.int64)
