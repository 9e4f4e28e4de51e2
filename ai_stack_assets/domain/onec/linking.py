"""The second step of a bucket: what points anywhere in the configuration gets its target. Rows of references, calls, queries."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from ai_stack_assets.domain.bsl.facts import QueryFacts
from ai_stack_assets.domain.bsl.query import parse_query
from ai_stack_assets.domain.bsl.resolution import (
    Symbols,
    resolve_calls,
    resolve_query_tables,
    resolve_references,
)
from ai_stack_assets.domain.onec.assembly import MetadataQuery
from ai_stack_assets.domain.onec.groups import Pending
from ai_stack_assets.domain.onec.module_rows import ModuleLinks, to_json
from ai_stack_assets.domain.onec.tables import CallRow, QueryRow


def link(pending: Pending, symbols: Symbols) -> dict[str, list]:
    """Rows of the tables that need the symbols of the whole configuration."""
    calls: list[CallRow] = []
    queries: list[QueryRow] = []
    for module in pending.modules:
        calls += _call_rows(module, symbols)
        queries += _module_queries(module, symbols)
    queries += _metadata_queries(pending.queries, symbols)
    # two ways to write one target become one row
    references = {row.id: row for row in resolve_references(pending.references, symbols)}
    return {"references": list(references.values()), "calls": calls, "queries": queries}


def _call_rows(module: ModuleLinks, symbols: Symbols) -> Iterable[CallRow]:
    facts = module.facts
    resolved = resolve_calls(module.module_kind, module.object_id, module.module_id, facts, symbols)
    counts: Counter[str] = Counter()
    for call, (resolution, target) in zip(facts.calls, resolved, strict=True):
        caller = module.place(call.method)
        counts[caller] += 1
        yield CallRow(
            f"{caller}#{counts[caller]}",
            caller,
            module.module_id,
            call.receiver,
            call.name,
            call.line,
            resolution,
            target,
        )


def _module_queries(module: ModuleLinks, symbols: Symbols) -> Iterable[QueryRow]:
    counts: Counter[str] = Counter()
    for query in module.facts.queries:
        place = module.place(query.method)
        counts[place] += 1
        yield _query_row(
            f"{place}#query{counts[place]}", "module", place, module.object_id, query.line, query.text, query.facts, symbols
        )


def _metadata_queries(pending: Iterable[MetadataQuery], symbols: Symbols) -> Iterable[QueryRow]:
    counts: Counter[str] = Counter()
    for query in pending:
        counts[query.place_id] += 1
        query_id = f"{query.place_id}#query{counts[query.place_id]}"
        facts = parse_query(query.text)
        yield _query_row(query_id, query.source, query.place_id, query.object_id, 0, query.text, facts, symbols)


def _query_row(
    query_id: str, source: str, place: str, object_id: str, line: int, text: str, facts: QueryFacts, symbols: Symbols
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
