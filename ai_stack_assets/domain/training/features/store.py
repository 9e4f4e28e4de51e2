"""The features table in the lake: one row per distinct code of a source, computed once for as long as its code stays the same.

    <data>/lake/training/features/<partition>/<version>/features/00.parquet … 63.parquet

A method's part follows from its `content_hash`. Parts in which nothing changed are taken over unread; in the others a row is
computed when there is none with its `input_hash` in the version before, else its features are reused. What a row takes over from
its record (id, time of the commit…) is always that of the record. Memory is bounded by `ROWS_AT_ONCE`, not by the table.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from ai_stack_assets.domain.common.clock import PhaseClock
from ai_stack_assets.domain.dataset import stage
from ai_stack_assets.domain.training.features import compute, definitions

if TYPE_CHECKING:
    from pathlib import Path

    import numpy as np
    import pyarrow as pa

    from ai_stack_assets.domain.common.lake import Lake, Version

TABLE = "features"
PARTS = 64
ROWS_AT_ONCE, _ROWS_PER_GROUP = 50_000, 10_000
"""Up to so many rows are kept in memory (code of 100 MB) and done in groups; a larger source is read again for each group."""
_INLINE_ROWS, _ROWS_PER_JOB = 2_000, 500
"""Starting processes takes 2 s, as long as computing 5,000 rows: 2,000 are done here."""
_PREFIXES = [f"{number:02x}" for number in range(256)]


class Source(Protocol):
    """See `sources`."""

    @property
    def partition(self) -> str: ...

    @property
    def version(self) -> Version: ...

    def batches(self) -> Iterator[pa.Table]: ...


@dataclass(frozen=True)
class Update:
    """`is_new`: written now; else neither the source nor the features' code has changed. Numbers of rows as in `facts`."""

    version: Version
    is_new: bool

    @property
    def facts(self) -> dict[str, Any]:
        """`rows`, `computed`, `reused` (in parts taken over, too), `repeated` (codes seen before), `parts_taken_over`, `source`,
        `code_version`, `seconds` by phase."""
        return self.version.manifest["facts"]


def update(
    lake: Lake, source: Source, *, workers: int = 1, say: Callable[[str], None] = lambda _: None
) -> Update:
    """The features of a source's current version.

    Args:
        lake: `training/features`.
        workers: processes; 1 computes in this one.

    Raises:
        PermanentError: the source's rows have no code.
    """
    version_id = stage.key(definitions.CODE_VERSION, source.version)
    previous = lake.intact(source.partition)
    if previous and previous.id == version_id:
        return Update(previous, False)
    with lake.draft(source.partition) as draft:
        writer = _Writer(source, previous, draft, workers)
        facts = writer.write(say)
        tables = {TABLE: writer.entry()}
        manifest = {"configuration": source.partition, "source": {}, "tables": tables, "facts": facts}
        return Update(lake.publish(source.partition, draft, version_id, manifest), True)


class _Writer:
    def __init__(self, source: Source, previous: Version | None, draft: Path, workers: int) -> None:
        self.source, self.previous, self.draft, self.workers = source, previous, draft, workers
        self.computed = 0
        self.before = previous.manifest["facts"].get("parts", {}) if previous else {}
        self.written: dict[str, tuple[str, int, int]] = {}
        """Part → hash of its records, rows, bytes."""
        self._processes = contextlib.ExitStack()
        self._pool: ProcessPoolExecutor | None = None
        self._kept: list[pa.Table] = []
        """Batches of a source that fits into memory: it is read once then."""

    def write(self, say: Callable[[str], None]) -> dict[str, Any]:
        """Write all parts of the next version. Returns its facts."""
        import numpy as np

        clock = PhaseClock()
        chosen, part, digests = self._look()
        clock.lap("look")
        rows = np.bincount(part[chosen], minlength=PARTS)
        changed = []
        for number in map(int, np.flatnonzero(rows)):
            name = _name(number)
            if self.previous and self.before.get(name, [""])[0] == digests[number]:
                # in a bucket it may stay where it is, so nothing is asked of the file
                self.previous.take_over(f"{TABLE}/{name}", self.draft)
                self.written[name] = self.before[name]
            else:
                changed.append(number)
        with self._processes:
            for numbers in _groups(changed, rows, _ROWS_PER_GROUP if self._kept else ROWS_AT_ONCE):
                self._write_parts(numbers, chosen, part, digests)
                say(f"features of {int(rows[: numbers[-1] + 1].sum())} of {int(rows.sum())} methods")
        clock.lap("compute")
        return {
            "rows": int(rows.sum()),
            "computed": self.computed,
            "reused": int(rows.sum()) - self.computed,
            "repeated": len(chosen) - int(rows.sum()),
            "parts_taken_over": len(self.written) - len(changed),
            "source": self.source.version.id,
            "code_version": definitions.CODE_VERSION,
            "seconds": clock.seconds,
            "parts": dict(sorted(self.written.items())),
        }

    def entry(self) -> dict[str, Any]:
        """Of the table in the manifest. An empty table has one part all the same: that tells its columns."""
        import pyarrow.parquet as pq

        if not self.written:
            path = self._path(0)
            pq.write_table(definitions.schema().empty_table(), path)
            return {"rows": 0, "bytes": path.stat().st_size, "parts": [path.name]}
        _, rows, sizes = zip(*self.written.values(), strict=True)
        return {"rows": sum(rows), "bytes": sum(sizes), "parts": sorted(self.written)}

    def _look(self) -> tuple[np.ndarray, np.ndarray, list[str]]:
        """Per record whether it is the first of its code (by id), and its part; per part a hash of all that is in it."""
        import numpy as np
        import pyarrow as pa
        import xxhash

        from ai_stack_assets.domain.common.hashing import row_hashes

        seen = [pa.table({name: pa.array([], pa.string()) for name in ("content_hash", "id", "hash")})]
        count = 0
        for batch in self.source.batches():
            inputs = compute.as_inputs(batch)
            seen.append(inputs.select(["content_hash", "id"]).append_column("hash", row_hashes(inputs)))
            count += batch.num_rows
            self._kept = [*self._kept, inputs] if count <= ROWS_AT_ONCE else []
        table = pa.concat_tables(seen).combine_chunks()
        part = _part_of(table)
        row = pa.array(np.arange(table.num_rows))
        ordered = table.append_column("row", row).sort_by(
            [("content_hash", "ascending"), ("id", "ascending")]
        )
        hashes = ordered["content_hash"].to_numpy(zero_copy_only=False)
        first = np.append(True, hashes[1:] != hashes[:-1])[: len(hashes)]
        rows = ordered["row"].to_numpy()[first]
        chosen = np.zeros(len(hashes), bool)
        chosen[rows] = True
        digests = [xxhash.xxh3_64(definitions.CODE_VERSION.encode()) for _ in range(PARTS)]
        for number, digest in zip(
            part[rows], ordered["hash"].to_numpy(zero_copy_only=False)[first], strict=True
        ):
            digests[number].update(digest.encode())
        return chosen, part, [digest.hexdigest() for digest in digests]

    def _path(self, number: int) -> Path:
        path = self.draft / TABLE / _name(number)
        path.parent.mkdir(exist_ok=True)
        return path

    def _write_parts(
        self, numbers: list[int], chosen: np.ndarray, part: np.ndarray, digests: list[str]
    ) -> None:
        import numpy as np
        import pyarrow as pa
        import pyarrow.parquet as pq

        wanted, at, found = chosen & np.isin(part, numbers), 0, []
        for batch in self._kept or map(compute.as_inputs, self.source.batches()):
            here = wanted[at : at + batch.num_rows]
            at += batch.num_rows
            if here.any():
                found.append(batch.filter(pa.array(here)))
        inputs = pa.concat_tables(found).sort_by("content_hash").combine_chunks()
        made, place = self._computed(inputs, numbers)
        of_row = _part_of(inputs)
        for number in numbers:
            mine, path = np.flatnonzero(of_row == number), self._path(number)
            rows = compute.assembled(inputs.take(pa.array(mine)), made.take(pa.array(place[mine])))
            pq.write_table(rows, path, compression="zstd")
            self.written[path.name] = digests[number], rows.num_rows, path.stat().st_size

    def _computed(self, inputs: pa.Table, numbers: list[int]) -> tuple[pa.Table, np.ndarray]:
        """Computed columns, those of the version before where it has them, and where those of each input are among them."""
        import numpy as np
        import pyarrow as pa
        import pyarrow.compute as pc

        known = self._known(numbers)
        place = pc.index_in(compute.input_hashes(inputs), known[definitions.INPUT_HASH].combine_chunks())
        missing = inputs.filter(pc.is_null(place))
        self.computed += missing.num_rows
        made = pa.concat_tables([known, *self._compute(missing)]).combine_chunks()
        # what was made stands behind what was known, in order
        places = pc.fill_null(place, -1).to_numpy().astype(np.int64)
        places[places < 0] = known.num_rows + np.arange(missing.num_rows)
        return made, places

    def _known(self, numbers: list[int]) -> pa.Table:
        import pyarrow as pa
        import pyarrow.parquet as pq

        schema = compute.computed_schema()
        if self.previous and self.previous.manifest["facts"]["code_version"] == definitions.CODE_VERSION:
            names = {_name(number) for number in numbers} & self.before.keys()
            parts = self.previous.files([f"{TABLE}/{name}" for name in sorted(names)])
            return pa.concat_tables(
                [schema.empty_table(), *(pq.read_table(p, columns=schema.names) for p in parts)]
            )
        return schema.empty_table()

    def _compute(self, inputs: pa.Table) -> Iterator[pa.Table]:
        if self.workers <= 1 or inputs.num_rows <= _INLINE_ROWS:
            yield compute.computed(inputs)
            return
        import numpy as np
        import pyarrow as pa

        # a slice would be sent with all of the table that it is a slice of
        rows = np.arange(inputs.num_rows)
        jobs = (
            inputs.take(pa.array(rows[at : at + _ROWS_PER_JOB])) for at in range(0, len(rows), _ROWS_PER_JOB)
        )
        self._pool = self._pool or self._processes.enter_context(_processes(self.workers))
        yield from self._pool.map(compute.computed, jobs)


def _processes(workers: int) -> ProcessPoolExecutor:
    """From a clean server process: no threads of the caller come along, the imports are done once."""
    import multiprocessing

    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([compute.__name__])
    return ProcessPoolExecutor(workers, mp_context=context)


def _name(number: int) -> str:
    return f"{number:02}.parquet"


def _part_of(table: pa.Table) -> np.ndarray:
    """Number of each row's part."""
    import pyarrow as pa
    import pyarrow.compute as pc

    prefix = pc.utf8_slice_codeunits(table[definitions.KEY], 0, 2)
    number = pc.fill_null(pc.index_in(prefix, pa.array(_PREFIXES)), 0)
    return number.to_numpy() // (256 // PARTS)


def _groups(numbers: list[int], rows: np.ndarray, most: int) -> Iterator[list[int]]:
    """Neighbouring parts of `most` rows together, or of one part."""
    group: list[int] = []
    for number in numbers:
        if group and rows[[*group, number]].sum() > most:
            yield group
            group = []
        group.append(number)
    if group:
        yield group
