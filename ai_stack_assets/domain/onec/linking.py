"""The second step of a bucket: what points anywhere in the configuration gets its target. Rows of references, calls, queries."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from operator import attrgetter

from ai_stack_assets.domain.bsl.facts import QueryFacts
from ai_stack_assets.domain.bsl.query import parse_query
from ai_stack_assets.domain.bsl.resolution import (
    Symbols,
    resolve_calls,
    resolve_query_tables,
    resolve_references,
)
from ai_stack_assets.domain.onec.assembly import MetadataQuery
from ai_stack_assets.domain.onec.groups import Pending, decode_module
from ai_stack_assets.domain.onec.module_rows import ModuleLinks, method_ids, to_json
from ai_stack_assets.domain.onec.tables import CallRow, QueryRow


def link(pending: Pending, symbols: Symbols) -> dict[str, list]:
    """Rows of the tables that need the symbols of the whole configuration."""
    calls: list[CallRow] = []
    queries: list[QueryRow] = []
    for links in pending.modules:
        module = _Module(links)
        calls += module.call_rows(symbols)
        queries += module.query_rows(symbols)
    queries += _metadata_queries(pending.queries, symbols)
    # two ways to write one target become one row
    references = {row.id: row for row in resolve_references(pending.references, symbols)}
    return {"references": list(references.values()), "calls": calls, "queries": queries}


class _Module:
    def __init__(self, links: ModuleLinks) -> None:
        self.id, self.kind, self.object_id = links.module_id, links.module_kind, links.object_id
        self.facts = decode_module(links.facts)
        # index -1: code outside methods
        self.places = [*method_ids(self.id, self.facts), self.id]

    def call_rows(self, symbols: Symbols) -> Iterable[CallRow]:
        resolved = resolve_calls(self.kind, self.object_id, self.id, self.facts, symbols)
        counts = [0] * len(self.places)
        for (method, receiver, name, line), (resolution, target) in zip(
            map(_call_fields, self.facts.calls), resolved, strict=True
        ):
            caller = self.places[method]
            counts[method] += 1
            row_id = f"{caller}#{counts[method]}"
            yield CallRow(row_id, caller, self.id, receiver, name, line, resolution, target)

    def query_rows(self, symbols: Symbols) -> Iterable[QueryRow]:
        counts = [0] * len(self.places)
        for query in self.facts.queries:
            place = self.places[query.method]
            counts[query.method] += 1
            row_id = f"{place}#query{counts[query.method]}"
            yield _query_row(
                row_id, "module", place, self.object_id, query.line, query.text, query.facts, symbols
            )


_call_fields = attrgetter("method", "receiver", "name", "line")


def _metadata_queries(pending: Iterable[MetadataQuery], symbols: Symbols) -> Iterable[QueryRow]:
    counts: Counter[str] = Counter()
    for query in pending:
        counts[query.place_id] += 1
        query_id = f"{query.place_id}#query{counts[query.place_id]}"
        facts = parse_query(query.text)
        yield _query_row(
            query_id, query.source, query.place_id, query.object_id, 0, query.text, facts, symbols
        )


def _query_row(
    query_id: str,
    source: str,
    place: str,
    object_id: str,
    line: int,
    text: str,
    facts: QueryFacts,
    symbols: Symbols,
) -> QueryRow:
    return QueryRow(
        id=query_id,
        source=source,
        place_id=place,
        object_id=object_id,
        line=line,
        text=text,
        is_fragment=facts.is_fragment,
        tables=resolve_query_tables(facts, symbols),
        fields=to_json(facts.fields),
        parameters=to_json(facts.parameters),
        temporary_tables=to_json(facts.temporary_tables),
    )
