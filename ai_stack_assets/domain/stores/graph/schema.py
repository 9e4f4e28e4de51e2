"""The graph's schema, declared once: node labels and relationship types with their typed properties and ends.
Ladybug's DDL and Neo4j's constraints are generated from it; the projection fills exactly these columns. No
engine, no data here.

Rows of a node collection: `id`, then the properties; of a relationship collection: `id`, `from`, `to`, then
the properties."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ai_stack_assets.domain.common.hashing import text_hash

if TYPE_CHECKING:
    import pyarrow as pa

TEXT, INT, BOOL, TEXTS = "text", "int", "bool", "texts"
_LADYBUG = {TEXT: "STRING", INT: "INT64", BOOL: "BOOL", TEXTS: "STRING[]"}


@dataclass(frozen=True)
class Property:
    """`type` is one of text, int, bool, texts (a list)."""

    name: str
    type: str
    description: str

    def arrow_type(self) -> pa.DataType:
        import pyarrow as pa

        return {TEXT: pa.string(), INT: pa.int64(), BOOL: pa.bool_(), TEXTS: pa.list_(pa.string())}[self.type]


@dataclass(frozen=True)
class Node:
    """A label. Nodes are told apart by `configuration` and `id` (the lake's identifier)."""

    name: str
    description: str
    properties: tuple[Property, ...]
    is_labelled_by_kind: bool = False
    """Neo4j nodes also get their kind as a label: `:Catalog:Object`."""


@dataclass(frozen=True)
class Relationship:
    """A type, told apart by its two ends and, when it has one, its `kind`: `id` is `<from>><kind>><to>` or
    `<from>><to>`."""

    name: str
    description: str
    ends: tuple[tuple[str, str], ...]
    properties: tuple[Property, ...] = ()

    @property
    def has_kind(self) -> bool:
        return any(p.name == "kind" for p in self.properties)


OBJECT, FIELD, MODULE, METHOD = "Object", "Field", "Module", "Method"

_ID = Property("id", TEXT, "Full name, as in the lake")
_NAME = Property("name", TEXT, "Own name, without the owner's")
_KIND = Property("kind", TEXT, "Kind, as in the lake")
_SYNONYM = Property("synonym", TEXT, "Presentation by language code, JSON")
_BELONGING = Property("belonging", TEXT, "`own`, or `adopted` from an extended configuration")
_PATH = Property("path", TEXT, "File, relative to the configuration's folder")
_DETAILS = Property(
    "details",
    TEXTS,
    "What qualifies the link (event, form item that it goes through), distinct",
)
_FLAGS = (
    ("is_server", "Common module: Server; null for other modules, as are the flags that follow"),
    ("is_client_managed", "Common module: ClientManagedApplication"),
    ("is_client_ordinary", "Common module: ClientOrdinaryApplication"),
    ("is_external_connection", "Common module: ExternalConnection"),
    ("is_server_call", "Common module: ServerCall"),
    ("is_global", "Common module: Global"),
    ("is_privileged", "Common module: Privileged"),
)

NODES = (
    Node(
        OBJECT,
        "A metadata object of any kind and level: the configuration, a catalog, a form, a role.",
        (_KIND, _NAME, _SYNONYM, Property("comment", TEXT, "The developer's comment"), _BELONGING, _PATH),
        is_labelled_by_kind=True,
    ),
    Node(
        FIELD,
        "A part of an object: attribute, tabular section, dimension, enum value, form attribute or command. "
        "Form items are no nodes: their links start at the form and name the item in `details`.",
        (_KIND, _NAME, _SYNONYM, Property("types", TEXT, "Value types with qualifiers, JSON"), _BELONGING),
    ),
    Node(
        MODULE,
        "A BSL module.",
        (
            _KIND,
            _PATH,
            Property("status", TEXT, "`parsed`, `empty`, `protected`, `missing` or `rejected`"),
            Property("lines", INT, "Number of lines"),
            *(Property(name, BOOL, description) for name, description in _FLAGS),
            Property(
                "return_values_reuse", TEXT, "Common module: `DontUse`, `DuringRequest`, `DuringSession`"
            ),
        ),
    ),
    Node(
        METHOD,
        "A procedure or function.",
        (
            _NAME,
            _KIND,
            Property("is_export", BOOL, "Has `Экспорт`"),
            Property("is_async", BOOL, "Has `Асинх`"),
            Property("directive", TEXT, "`AtClient`, `AtServer`…"),
            Property("region", TEXT, "Path of the enclosing regions"),
            Property("signature", TEXT, "`Имя(Знач А, Б = 1)`"),
            Property("start_line", INT, "First line"),
            Property("end_line", INT, "Last line"),
            Property("cyclomatic", INT, "Cyclomatic complexity"),
            Property("cognitive", INT, "Cognitive complexity"),
            Property(
                "annotation", TEXT, "Extension method: `Before`, `After`, `Around`, `ChangeAndValidate`"
            ),
            Property(
                "extends",
                TEXT,
                "Extension method: `id` of the extended one",
            ),
        ),
    ),
)


def _between(sources: tuple[str, ...], targets: tuple[str, ...]) -> tuple[tuple[str, str], ...]:
    return tuple((source, target) for source in sources for target in targets)


RELATIONSHIPS = (
    Relationship(
        "CONTAINS",
        "Ownership: configuration → object → field, module; field → field; module → method.",
        ((OBJECT, OBJECT), (OBJECT, FIELD), (FIELD, FIELD), (OBJECT, MODULE), (MODULE, METHOD)),
    ),
    Relationship(
        "REFERENCES",
        "A link of the lake's `references`: field type, subsystem content, owner, data path…",
        _between((OBJECT, FIELD, METHOD), (OBJECT, FIELD)),
        (_KIND, Property("links", INT, "Number of links that it stands for"), _DETAILS),
    ),
    Relationship(
        "GRANTS",
        "A role's rights on an object or field.",
        _between((OBJECT,), (OBJECT, FIELD)),
        (
            Property("rights", TEXTS, "Names of the rights granted: `Read`, `Update`…"),
            Property("restricted", TEXTS, "Those of them that are restricted by row"),
        ),
    ),
    Relationship(
        "HANDLES",
        "What runs a method: subscription, scheduled job, form or item event, command, service.",
        _between((OBJECT, FIELD), (METHOD,)),
        (_KIND, Property("links", INT, "Number of links that it stands for"), _DETAILS),
    ),
    Relationship(
        "CALLS",
        "Code calls a method; all call sites of one caller in one relationship.",
        _between((MODULE, METHOD), (METHOD,)),
        (Property("calls", INT, "Number of call sites"), Property("line", INT, "Line of the first one")),
    ),
    Relationship(
        "READS",
        "Queries of a method, module, template or dynamic list read a table or a field of it.",
        _between((OBJECT, FIELD, MODULE, METHOD), (OBJECT, FIELD)),
        (
            Property("queries", INT, "Number of queries that do; 0: the main table of a dynamic list"),
            Property("names", TEXTS, "As written in them: `РегистрСведений.Курсы.СрезПоследних`, distinct"),
        ),
    ),
)

STATE = "GraphState"
"""Neo4j only: one node a configuration, by which readers know a half-written graph."""
LOCK = "GraphLock"
"""Neo4j only: never committed, see `server_lock`."""

NODE: dict[str, Node] = {node.name: node for node in NODES}
RELATIONSHIP: dict[str, Relationship] = {relationship.name: relationship for relationship in RELATIONSHIPS}
COLLECTIONS: dict[str, Node | Relationship] = {**NODE, **RELATIONSHIP}
"""Nodes come first: relationships need both ends."""


def arrow_schema(collection: str) -> pa.Schema:
    """Columns of a collection's rows, as the projection gives them and the engines give them back."""
    import pyarrow as pa

    item = COLLECTIONS[collection]
    keys = ("id",) if isinstance(item, Node) else ("id", "from", "to")
    return pa.schema(
        [*((key, pa.string()) for key in keys), *((p.name, p.arrow_type()) for p in item.properties)]
    )


def ladybug_ddl() -> list[str]:
    """Statements that make an empty database. `configuration` is one constant a database: reads are written
    once for both engines, and Neo4j holds all configurations together."""
    statements = []
    for node in NODES:
        columns = ", ".join(f"`{p.name}` {_LADYBUG[p.type]}" for p in node.properties)
        statements.append(
            f"CREATE NODE TABLE `{node.name}` (id STRING PRIMARY KEY, configuration STRING, {columns})"
        )
    for relationship in RELATIONSHIPS:
        ends = [f"FROM `{source}` TO `{target}`" for source, target in relationship.ends]
        columns = [f"`{p.name}` {_LADYBUG[p.type]}" for p in relationship.properties]
        statements.append(f"CREATE REL TABLE `{relationship.name}` ({', '.join([*ends, *columns])})")
    return statements


def neo4j_ddl() -> list[str]:
    """Constraints and indexes, each created only when absent."""
    statements = [
        f"CREATE CONSTRAINT {node.name.lower()}_key IF NOT EXISTS "
        f"FOR (n:`{node.name}`) REQUIRE (n.configuration, n.id) IS UNIQUE"
        for node in NODES
    ]
    statements += [
        f"CREATE INDEX {node.name.lower()}_name IF NOT EXISTS FOR (n:`{node.name}`) ON (n.name)"
        for node in NODES
        if _NAME in node.properties
    ]
    own = [
        f"CREATE CONSTRAINT graph_{name} IF NOT EXISTS FOR (n:`{label}`) REQUIRE n.configuration IS UNIQUE"
        for name, label in (("state", STATE), ("lock", LOCK))
    ]
    return [*statements, *own]


def fingerprint(engine: str) -> str:
    """Changes when the schema does: an embedded database of another schema is not the same database."""
    return text_hash("\n".join([engine, *ladybug_ddl()]))[:8]
