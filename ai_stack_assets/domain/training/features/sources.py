"""Records that features are computed of: the dataset's splits, or a configuration as extracted. No features here.

A source is read more than once, in batches, always in the same order.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import TYPE_CHECKING

from ai_stack_assets.domain.dataset.assignment import SPLITS
from ai_stack_assets.domain.dataset.declarations import DIRECTIVES, count_tokens, declaration
from ai_stack_assets.domain.dataset.records import POSTGRES, record, schema
from ai_stack_assets.domain.dataset.sources.harvest import BATCH_ROWS
from ai_stack_assets.domain.training.features.definitions import INPUTS

if TYPE_CHECKING:
    from typing import Any

    import pyarrow as pa

    from ai_stack_assets.domain.common.lake import Version

_METHOD = (
    "id", "module_id", "object_id", "name", "signature", "is_export", "directive", "doc_comment", "start_line",
    "body",
)  # fmt: skip
DATASET = "dataset"
"""Partition of the features of the dataset's methods; a configuration's has its name."""


class SplitRecords:
    """Records of all splits of the dataset stage's version."""

    partition = DATASET

    def __init__(self, version: Version) -> None:
        self.version = version

    def batches(self) -> Iterator[pa.Table]:
        import pyarrow as pa

        for name in SPLITS:
            for batch in self.version.batches(name, INPUTS):
                yield pa.Table.from_batches([batch])


class ConfigurationRecords:
    """Methods of a configuration in the lake, as the dataset stage would have them: same ids, same hashes, before its filters and
    redactions."""

    def __init__(self, version: Version) -> None:
        self.version, self.partition = version, version.configuration

    def batches(self) -> Iterator[pa.Table]:
        """Column by column, as the dataset stage does it, without the columns that nobody here reads: some of them are dear."""
        import pyarrow as pa

        rows, wanted = self._records(), pa.schema([schema().field(name) for name in INPUTS])
        while batch := list(islice(rows, BATCH_ROWS)):
            columns = [pa.array([row[name] for row in batch], wanted.field(name).type) for name in INPUTS]
            yield pa.Table.from_arrays(columns, schema=wanted)

    def _records(self) -> Iterator[dict[str, Any]]:
        modules = {
            row["id"]: (row["kind"], row["path"])
            for row in self.version.table("modules", ["id", "kind", "path"]).to_pylist()
        }
        for batch in self.version.batches("methods", _METHOD):
            for row in batch.to_pylist():
                yield record_of(self.version.configuration, row, *modules[row["module_id"]])


def record_of(configuration: str, row: dict[str, Any], kind: str, path: str) -> dict[str, Any]:
    """The record of a row of `methods`, whose module is of that kind and lies there."""
    twin = row["id"].rpartition(".")[2].partition("~")[2]
    return record(
        twin=int(twin) - 1 if twin else 0,
        source=POSTGRES,
        repository=configuration,
        path=path,
        start_line=row["start_line"],
        configuration=configuration,
        object=row["object_id"],
        module_type=kind,
        method_name=row["name"],
        signature=declaration(row["body"], row["signature"], is_export=row["is_export"]),
        is_export=row["is_export"],
        directive=DIRECTIVES.get(row["directive"] or "", row["directive"] or ""),
        doc_comment=row["doc_comment"],
        code=row["body"],
        tokens=count_tokens(row["body"]),
    )
