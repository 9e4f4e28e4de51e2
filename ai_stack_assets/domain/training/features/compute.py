"""Records in, rows of the features table out: the one way to features, at training and at inference. No storage here."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cache
from typing import TYPE_CHECKING, Any

from ai_stack_assets.domain.common.failures import PermanentError
from ai_stack_assets.domain.dataset import records as dataset_records
from ai_stack_assets.domain.training.features import definitions
from ai_stack_assets.domain.training.features.reading import Method

if TYPE_CHECKING:
    import pyarrow as pa


def compute(records: pa.Table) -> pa.Table:
    """One row of features per record, in order.

    Args:
        records: columns of `dataset.records`; only `code` has to be there, a hash and an id are made where they are missing.

    Returns:
        Table of `definitions.schema()`.

    Raises:
        PermanentError: there is no column `code`, or it has nulls.
    """
    inputs = as_inputs(records)
    return assembled(inputs, computed(inputs))


def computed(inputs: pa.Table) -> pa.Table:
    """Of rows of `as_inputs` the columns that are computed, and `input_hash`: table of `computed_schema()`."""
    import pyarrow as pa

    rows = [_row(Method(record)) for record in inputs.select(_READ).to_pylist()]
    columns = list(zip(*rows, strict=True)) if rows else [()] * len(_COMPUTED)
    schema = computed_schema()
    arrays = [pa.array(values, field.type) for values, field in zip(columns, schema, strict=False)]
    return pa.table([*arrays, input_hashes(inputs)], schema=schema)


def assembled(inputs: pa.Table, made: pa.Table) -> pa.Table:
    """Rows of the features table from the rows of `as_inputs` and what was computed of each."""
    import pyarrow as pa

    schema = definitions.schema()
    return pa.table([(made if n in made.schema.names else inputs)[n] for n in schema.names], schema=schema)


@cache
def computed_schema() -> pa.Schema:
    import pyarrow as pa

    names = [*(feature.name for feature in _COMPUTED), definitions.INPUT_HASH]
    return pa.schema([definitions.schema().field(name) for name in names])


def of_methods(methods: Iterable[Mapping[str, Any]]) -> pa.Table:
    """The same of methods at hand: `[{"code": "Функция …", "object": "Catalog.Валюты", "doc_comment": "…"}]`.

    Name, signature, export and number of tokens are read from the code where they are not given.
    """
    import pyarrow as pa

    from ai_stack_assets.domain.dataset.declarations import count_tokens, declaration

    rows = []
    for given in methods:
        row = dict(given)
        sub = Method({"code": str(row.get("code") or "")}).method
        if sub:
            row.setdefault("method_name", sub.name)
            row.setdefault("is_export", sub.is_export)
            row.setdefault("signature", declaration(row["code"], sub.signature, is_export=sub.is_export))
        row.setdefault("tokens", count_tokens(str(row.get("code") or "")))
        rows.append({name: row[name] for name in definitions.INPUTS if name in row})
    present = {name for row in rows for name in row} | {"code"}
    fields = [f for f in dataset_records.schema() if f.name in present]
    return compute(pa.Table.from_pylist(rows, pa.schema(fields)))


def as_inputs(records: pa.Table | pa.RecordBatch) -> pa.Table:
    """The columns that features depend on, all of them, nothing null but `changed_at`."""
    import pyarrow as pa
    import pyarrow.compute as pc

    if "code" not in records.schema.names:
        raise PermanentError(
            f"records without a column `code` have no features; columns: {', '.join(records.schema.names)}"
        )
    if records.column("code").null_count:
        raise PermanentError("records whose `code` is null have no features: leave them out before")
    empty: dict[Any, Any] = {pa.string(): "", pa.bool_(): False, pa.int32(): 0}
    columns = {}
    for name in definitions.INPUTS:
        kind = dataset_records.schema().field(name).type
        if name not in records.schema.names:
            columns[name] = pa.nulls(records.num_rows, kind)
        else:
            columns[name] = _cast(records, name, kind)
        if name != "changed_at":
            columns[name] = pc.fill_null(columns[name], empty[kind])
    table = pa.table(columns)
    return _with_names(table) if pc.any(pc.equal(table["content_hash"], "")).as_py() else table


def _cast(records: pa.Table | pa.RecordBatch, name: str, kind: pa.DataType) -> Any:
    import pyarrow as pa
    import pyarrow.compute as pc

    try:
        return pc.cast(records.column(name), kind)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
        given = records.schema.field(name).type
        raise PermanentError(f"column `{name}` of the records is {given}, not {kind}: {error}") from error


def input_hashes(inputs: pa.Table) -> pa.Array:
    """Per row of `as_inputs` what tells that its features are the same: all that is looked at, and the features' version."""
    import pyarrow as pa

    from ai_stack_assets.domain.common.hashing import row_hashes

    version = pa.array([definitions.CODE_VERSION] * inputs.num_rows, pa.string())
    return row_hashes(inputs.select(_READ).append_column("version", version))


def _with_names(table: pa.Table) -> pa.Table:
    """`content_hash` and `id` of records that have none."""
    import pyarrow as pa
    import pyarrow.compute as pc

    from ai_stack_assets.domain.common.hashing import text_hash

    made = [text_hash(dataset_records.normalised(code)) for code in table["code"].to_pylist()]
    for name in ("content_hash", "id"):
        filled = pc.if_else(pc.equal(table[name], ""), pa.array(made, pa.string()), table[name])
        table = table.set_column(table.schema.get_field_index(name), name, filled)
    return table


_COMPUTED = tuple(f for f in definitions.FEATURES if f.of)
_READ = ["code", "doc_comment", "method_name", "object", "module_type", "repository", "path"]
"""What `Method` looks at."""


def _row(method: Method) -> tuple[Any, ...]:
    return tuple(feature.of(method) for feature in _COMPUTED if feature.of)
