"""The lake tables: what one row is, its columns and their types.

One declaration serves the readers (row type), Parquet (schema), PostgreSQL (DDL), the stores and the documentation.
No reading and no writing here.

Identifiers are full English names (`Catalog.Валюты.Form.ФормаСписка`), stable between versions and layouts. Every table
gets a last column, `content_hash`: the 64-bit xxh3 of all other columns in hex (see `domain.common.hashing`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, NamedTuple, get_args, get_origin, get_type_hints

JSON = "json"
"""Marks a text column that holds one JSON value: keys sorted, no blanks, letters unescaped; never an empty string."""


class ObjectRow(NamedTuple):
    """One metadata object, of every kind and at every level of ownership: the configuration itself, top-level objects,
    nested subsystems, forms, templates, commands, recalculations."""

    id: Annotated[
        str, "Full name: `Catalog.Валюты`, `Catalog.Валюты.Form.ФормаСписка`, `Configuration.<name>`"
    ]
    kind: Annotated[str, "Metadata class in English: `Catalog`, `Form`, `Subsystem`, `Configuration`"]
    name: Annotated[str, "Own name, without the owner's"]
    uuid: Annotated[str, "The platform's identifier, lower case; empty when the source has none"]
    synonym: Annotated[str, "Presentation by language code", JSON]
    comment: Annotated[str, "The developer's comment"]
    owner_id: Annotated[str | None, "`id` of the containing object; null for the configuration itself"]
    belonging: Annotated[str, "`own`, or `adopted` by an extension from the configuration that it extends"]
    properties: Annotated[str, "Remaining properties by their English 1C names", JSON]
    path: Annotated[str, "Defining file, relative to the configuration's folder, `/` between parts"]


class FieldRow(NamedTuple):
    """One part of an object that is not an object itself: attribute, tabular section and its attributes, dimension,
    resource, enum value, accounting flag, addressing attribute, journal column, URL template and its methods, web service
    operation and its parameters, channel, predefined item, form attribute and its columns, form item, form command."""

    id: Annotated[str, "`Catalog.Валюты.Attribute.Код`, `….TabularSection.Т.Attribute.А`, `….Form.Ф.Item.И`"]
    kind: Annotated[
        str, "`Attribute`, `TabularSection`, `Dimension`, `EnumValue`, `URLTemplate`, `FormItem`…"
    ]
    name: Annotated[str, "Own name"]
    uuid: Annotated[str, "The platform's identifier, lower case; empty when the source has none"]
    object_id: Annotated[str, "`objects.id` that it belongs to"]
    parent_id: Annotated[
        str | None, "`fields.id` of the containing field: a tabular section, a URL template, a form item"
    ]
    position: Annotated[int, "Order within its parent and kind, from 0"]
    synonym: Annotated[str, "Presentation (title of a form part) by language code", JSON]
    comment: Annotated[str, "The developer's comment"]
    types: Annotated[
        str,
        'Value types with qualifiers: `[{"type":"CatalogRef.Валюты"},{"type":"String","length":10,"allowed_length":"Variable"}]`',
        JSON,
    ]
    data_path: Annotated[str, "What a form item shows: `Объект.Валюта`; empty for all else"]
    belonging: Annotated[str, "`own` or `adopted`"]
    properties: Annotated[str, "Remaining properties by their English 1C names", JSON]


class ReferenceRow(NamedTuple):
    """One link from an object, a field or a method to another: field type, subsystem content, role right, handler…"""

    id: Annotated[str, "`<source_id>><kind>><target_id>`, then `><detail>` when there is one"]
    kind: Annotated[str, "`FieldType`, `SubsystemContent`, `SubscriptionHandler`, `RoleRight`, `DataPath`…"]
    source_id: Annotated[str, "`id` in objects, fields or methods"]
    source_object_id: Annotated[str, "`objects.id` of the source or of its owner"]
    target_id: Annotated[str, "`id` in objects, fields or methods; the source's own words when not resolved"]
    target_kind: Annotated[str, "`object`, `field`, `method`, or `unresolved` (not in this configuration)"]
    detail: Annotated[str, "What qualifies the link: the right's name, the event; else empty"]
    properties: Annotated[str, "Further facts: the right's value, restriction by row…", JSON]


class ModuleRow(NamedTuple):
    """One module: a BSL file, or a common module that has none."""

    id: Annotated[
        str, "`CommonModule.ОбщегоНазначения.Module`, `Catalog.Валюты.ManagerModule`, `….Form.Ф.Module`"
    ]
    kind: Annotated[
        str,
        "`CommonModule`, `ObjectModule`, `ManagerModule`, `FormModule`, `CommandModule`, `RecordSetModule`…",
    ]
    object_id: Annotated[str, "`objects.id` of the owner"]
    path: Annotated[str, "File, relative to the configuration's folder; empty when there is none"]
    status: Annotated[
        str, "`parsed`, `empty`, `protected` (compiled, no source), `missing` (no file) or `rejected`"
    ]
    size_bytes: Annotated[int, "Size of the file"]
    lines: Annotated[int, "Number of lines; 0 when there is no source"]
    is_server: Annotated[bool | None, "Common module: Server; null for others, as are the flags that follow"]
    is_client_managed: Annotated[bool | None, "Common module: ClientManagedApplication"]
    is_client_ordinary: Annotated[bool | None, "Common module: ClientOrdinaryApplication"]
    is_external_connection: Annotated[bool | None, "Common module: ExternalConnection"]
    is_server_call: Annotated[bool | None, "Common module: ServerCall"]
    is_global: Annotated[bool | None, "Common module: Global"]
    is_privileged: Annotated[bool | None, "Common module: Privileged"]
    return_values_reuse: Annotated[str | None, "Common module: `DontUse`, `DuringRequest`, `DuringSession`"]
    regions: Annotated[str, 'Regions in order: `[{"name","path","start_line","end_line"}]`', JSON]
    variables: Annotated[str, 'Module variables: `[{"name","is_export","directive","line"}]`', JSON]
    blob_hash: Annotated[str, "SHA-256 of the file's bytes, hex; empty when there is no file"]


class MethodRow(NamedTuple):
    """One procedure or function of a module."""

    id: Annotated[str, "`<module_id>.<name>`; a second one of that name in the module gets `~2`, and so on"]
    module_id: Annotated[str, "`modules.id`"]
    object_id: Annotated[str, "`objects.id` of the module's owner"]
    name: Annotated[str, "Name as written"]
    kind: Annotated[str, "`Procedure` or `Function`"]
    is_export: Annotated[bool, "Has `Экспорт`"]
    is_async: Annotated[bool, "Has `Асинх`"]
    directive: Annotated[
        str | None,
        "`AtClient`, `AtServer`, `AtServerNoContext`, `AtClientAtServer`, `AtClientAtServerNoContext`",
    ]
    annotations: Annotated[
        str,
        'Extension annotations: `[{"kind":"Around","target":"Метод"}]` (Before, After, Around, ChangeAndValidate)',
        JSON,
    ]
    region: Annotated[str, "Path of the enclosing regions, `/` between them; empty at module level"]
    signature: Annotated[str, "`Имя(Знач А, Б = 1)` in one line, as written apart from blanks"]
    parameters: Annotated[
        str, 'In order: `[{"name","is_by_value","default"}]`; `default` is source text or null', JSON
    ]
    doc_comment: Annotated[
        str, "The comment right above, without `//`, lines joined by `\\n`; empty when there is none"
    ]
    doc: Annotated[
        str,
        'Its parts: `{"description","parameters":[{"name","types","description"}],"returns":[{"types","description"}]}`',
        JSON,
    ]
    start_line: Annotated[int, "Line of the `Процедура`/`Функция` keyword, from 1"]
    end_line: Annotated[int, "Line of the closing keyword"]
    cyclomatic: Annotated[int, "Cyclomatic complexity"]
    cognitive: Annotated[int, "Cognitive complexity"]
    statements: Annotated[int, "Number of statements"]
    body: Annotated[str, "Source from the header keyword to the closing keyword, line ends as `\\n`"]
    body_hash: Annotated[str, "128-bit xxh3 of `body`, hex"]


class CallRow(NamedTuple):
    """One call site in a module's code."""

    id: Annotated[str, "`<caller_id>#<n>`, n counts the call sites of the caller from 1"]
    caller_id: Annotated[str, "`methods.id`, or `modules.id` for code outside methods"]
    module_id: Annotated[str, "`modules.id` that holds the call"]
    receiver: Annotated[
        str | None, "What stands before the last dot, as written: `Справочники.Валюты`; null for a bare call"
    ]
    name: Annotated[str, "Called name as written"]
    line: Annotated[int, "Line of the call, from 1"]
    resolution: Annotated[
        str,
        "`local`, `global_module`, `common_module`, `manager_module`, `object_module`, `platform` or `unknown`",
    ]
    target_id: Annotated[str | None, "`methods.id` that it resolves to"]


class QueryRow(NamedTuple):
    """One query-language text: a string literal of a module, a dynamic list, or a data set of a data composition schema."""

    id: Annotated[str, "`<place>#query<n>`, n counts from 1 within the place"]
    source: Annotated[str, "`module`, `dynamic_list` or `data_composition`"]
    place_id: Annotated[
        str,
        "`methods.id` or `modules.id`; for the others the form attribute's `fields.id` or the template's `objects.id`",
    ]
    object_id: Annotated[str, "`objects.id` of the owner"]
    line: Annotated[int, "Line where the literal starts; 0 outside modules"]
    text: Annotated[str, "Query text: quotes undoubled, `|` removed"]
    is_fragment: Annotated[bool, "Does not parse as a whole query (it is joined to others at run time)"]
    tables: Annotated[
        str,
        'Tables read: `[{"name","object_id","field_id","virtual_table","alias"}]`, `object_id` null when unknown',
        JSON,
    ]
    fields: Annotated[str, 'Fields read, by table: `["Справочник.Валюты.Код"]`', JSON]
    parameters: Annotated[str, "Names after `&`, distinct, in order of appearance", JSON]
    temporary_tables: Annotated[str, "Temporary tables that it creates", JSON]


class RejectedRow(NamedTuple):
    """One thing that could not be read: a file, or a part of it. The rest of the configuration is read all the same."""

    id: Annotated[str, "`<path>#<reason>`, then `#<n>` when repeated"]
    path: Annotated[str, "File, relative to the configuration's folder"]
    reason: Annotated[
        str, "`broken_xml`, `undecodable`, `too_large`, `unsafe_path`, `duplicate_id`, `unbalanced_code`…"
    ]
    message: Annotated[str, "What is wrong, for a person"]
    line: Annotated[int | None, "Position, from 1, when known"]
    column: Annotated[int | None, "Position, from 1, when known"]
    is_lost: Annotated[bool, "True when the whole file gave no rows; false when only a part is missing"]


@dataclass(frozen=True)
class Column:
    """`type` is one of text, json, int, bool."""

    name: str
    type: str
    nullable: bool
    description: str


@dataclass(frozen=True)
class Table:
    name: str
    row: type
    description: str
    columns: tuple[Column, ...]

    @property
    def column_names(self) -> list[str]:
        return [column.name for column in self.columns]

    def arrow_schema(self) -> Any:
        """`pyarrow.Schema` with the descriptions as field metadata."""
        import pyarrow as pa

        types = {"text": pa.string(), "json": pa.string(), "int": pa.int32(), "bool": pa.bool_()}
        return pa.schema(
            pa.field(c.name, types[c.type], nullable=c.nullable, metadata={"description": c.description})
            for c in self.columns
        )


HASH_COLUMN = Column(
    "content_hash", "text", False, "64-bit xxh3 of all other columns, hex: changes when the row does"
)


def table_of(name: str, row: type, *last: Column) -> Table:
    """The table whose rows are such records, with columns that no record has at the end."""
    columns = []
    for column, hint in get_type_hints(row, include_extras=True).items():
        assert get_origin(hint) is Annotated
        base, description, *marks = get_args(hint)
        nullable = type(None) in get_args(base)
        plain = next(t for t in (get_args(base) or (base,)) if t is not type(None))
        kind = JSON if JSON in marks else {str: "text", int: "int", bool: "bool"}[plain]
        columns.append(Column(column, kind, nullable, description))
    return Table(name, row, " ".join((row.__doc__ or "").split()), (*columns, *last))


TABLES: dict[str, Table] = {
    name: table_of(name, row, HASH_COLUMN)
    for name, row in {
        "objects": ObjectRow,
        "fields": FieldRow,
        "references": ReferenceRow,
        "modules": ModuleRow,
        "methods": MethodRow,
        "calls": CallRow,
        "queries": QueryRow,
        "rejected": RejectedRow,
    }.items()
}
"""Lake tables by name, in data-flow order."""
