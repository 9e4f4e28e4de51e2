"""A configuration's methods as they were when a day ended, with the features that could be had on that day.

Read from its repository by the code that extraction reads with; nothing is checked out, and what two days share is read once.
What happened to a method before and after is in `past`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ai_stack_assets.domain.common.failures import PermanentError
from ai_stack_assets.domain.onec.fact_cache import FactCache
from ai_stack_assets.domain.onec.git_commands import read_blobs
from ai_stack_assets.domain.onec.groups import GroupFiles, RowCollector
from ai_stack_assets.domain.onec.history.commits import Log
from ai_stack_assets.domain.onec.history.tree import GroupKey, TreeReader
from ai_stack_assets.domain.onec.layout import Root, SourceFile
from ai_stack_assets.domain.training.change_risk.columns import METHOD_ID
from ai_stack_assets.domain.training.features import definitions
from ai_stack_assets.domain.training.features.compute import as_inputs, assembled, computed, input_hashes
from ai_stack_assets.domain.training.features.sources import record_of

if TYPE_CHECKING:
    import pyarrow as pa

_GROUPS_AT_ONCE = 200
"""Contents of so many objects are in memory at once: about 20 MB."""


@dataclass
class Snapshots:
    """States of one configuration. What one day has read, the next one does not read again."""

    configuration: str
    log: Log
    cache_file: Path
    """Parsed facts, the file that extraction and history use."""
    path: str | None = None
    _methods: dict[bytes, list[dict[str, Any]]] = field(default_factory=dict)
    _features: pa.Table | None = None

    def __post_init__(self) -> None:
        self._trees = TreeReader(self.log.repository, self.path)

    def at(self, day: date) -> pa.Table:
        """Rows of the features table, and `method_id`, of all methods that there were when the day ended.

        Raises:
            PermanentError: the repository was not there yet, or holds no configuration at that commit.
        """
        import pyarrow as pa

        index = self.log.index(day)
        if index is None:
            raise PermanentError(
                f"{self.configuration}: nothing is known of {day}, before {self.log.states[0][0]}"
            )
        tree = self._trees.read(self.log.states[index][1].id)
        new = {name: group for name, group in tree.groups.items() if group.key not in self._methods}
        waiting = iter(new.items())
        while some := dict(islice(waiting, _GROUPS_AT_ONCE)):
            self._read(tree.root, some)
        keys = {group.key for group in tree.groups.values()}
        self._methods = {key: rows for key, rows in self._methods.items() if key in keys}
        rows = [row for group in tree.groups.values() for row in self._methods[group.key]]
        inputs = as_inputs(pa.Table.from_pylist(rows, _schema()))
        return self._with_features(inputs).append_column(METHOD_ID, pa.array([r[METHOD_ID] for r in rows]))

    def _read(self, root: Root, groups: Mapping[str, GroupKey]) -> None:
        blobs = {path: blob for group in groups.values() for path, _, blob in group.files}
        contents = {p: data for p, data in read_blobs(self.log.repository.folder, blobs) if data is not None}
        with FactCache(self.cache_file) as cache:
            for name, group in groups.items():
                listed = [
                    SourceFile(p, role, "", len(contents[p]), 0)
                    for p, role, _ in group.files
                    if p in contents
                ]
                rows = RowCollector(root)
                rows.add(name, GroupFiles(root, listed, cache, contents))
                self._methods[group.key] = list(_records(self.configuration, rows.tables))

    def _with_features(self, inputs: pa.Table) -> pa.Table:
        """Most methods are as they were a year before: their features are computed once."""
        import pyarrow as pa
        import pyarrow.compute as pc

        hashes, known = input_hashes(inputs), self._features
        new = pc.unique(hashes)
        if known is not None:
            new = new.filter(pc.invert(pc.is_in(new, known[definitions.INPUT_HASH].combine_chunks())))
        made = computed(inputs.take(pc.index_in(new, hashes)))
        known = made if known is None else pa.concat_tables([known, made])
        self._features = known.take(pc.index_in(hashes, known[definitions.INPUT_HASH].combine_chunks()))
        return assembled(inputs, self._features)


def _records(configuration: str, tables: Mapping[str, Sequence[Any]]) -> Iterator[dict[str, Any]]:
    modules = {row.id: row for row in tables["modules"]}
    for row in tables["methods"]:
        module = modules[row.module_id]
        made = record_of(configuration, row._asdict(), module.kind, module.path)
        yield {**{name: made[name] for name in definitions.INPUTS}, METHOD_ID: row.id}


def _schema() -> pa.Schema:
    import pyarrow as pa

    from ai_stack_assets.domain.dataset import records

    inputs = [records.schema().field(name) for name in definitions.INPUTS]
    return pa.schema([*inputs, (METHOD_ID, pa.string())])
