"""What a registered model takes: methods as code, not as rows of the features table. Shipped with each model: see `served`.

The features are computed by the very code that computed them for training.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from ai_stack_assets.domain.training.features.compute import of_methods

if TYPE_CHECKING:
    import pyarrow as pa

CODE = "code"
OPTIONAL = ("doc_comment", "object", "module_type", "directive", "configuration", "repository", "path")
"""Columns of a record that a caller may leave out."""
REQUIREMENTS = ("PyStemmer", "msgspec", "xxhash")
"""Of computing features."""


def features(methods: pa.Table) -> pa.Table:
    """Rows of the features table, in order; columns that are no features are passed on."""
    given = {CODE, *OPTIONAL}
    rows = methods.select([name for name in methods.column_names if name in given]).to_pylist()
    table = of_methods({name: value for name, value in row.items() if value is not None} for row in rows)
    for name in methods.column_names:
        if name not in table.column_names:
            table = table.append_column(name, methods[name])
    return table


def methods(rows: pa.Table, inputs: Sequence[str] = ()) -> pa.Table:
    """Of rows of the features table what a caller would have: its code, what else is known, and `inputs`, further columns that
    the model needs. Those that must be given are not nullable."""
    import pyarrow as pa

    optional = [name for name in OPTIONAL if name in rows.column_names]
    names: list[Any] = [CODE, *optional, *(name for name in inputs if name not in (CODE, *optional))]
    chosen = rows.select(names)
    schema = pa.schema([field.with_nullable(field.name in OPTIONAL) for field in chosen.schema])
    return pa.table(chosen.columns, schema=schema)
