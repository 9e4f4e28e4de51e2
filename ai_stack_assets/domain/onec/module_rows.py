"""From the facts of one module to rows: the module, its methods, its calls and queries. Pure; ids are made here."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any, NamedTuple

import msgspec

from ai_stack_assets.domain.bsl.facts import ModuleFacts
from ai_stack_assets.domain.common.hashing import text_hash
from ai_stack_assets.domain.onec.assembly import ModuleStub
from ai_stack_assets.domain.onec.tables import MethodRow, ModuleRow

NO_CODE = ModuleFacts(0, [], [], [], [], [], [], [])
_encoder = msgspec.json.Encoder(order="sorted")


def to_json(value: Any) -> str:
    return _encoder.encode(value).decode()


class ModuleLinks(NamedTuple):
    """A module whose calls and queries wait for the symbols of the whole configuration. `facts` are still encoded."""

    module_id: str
    module_kind: str
    object_id: str
    facts: bytes


def method_ids(module_id: str, facts: ModuleFacts) -> list[str]:
    """`<module>.<name>`; names are case-insensitive, so a repeated one gets `~2`, `~3`…"""
    seen: Counter[str] = Counter()
    ids = []
    for method in facts.methods:
        key = method.name.casefold()
        seen[key] += 1
        ids.append(f"{module_id}.{method.name}" + (f"~{seen[key]}" if seen[key] > 1 else ""))
    return ids


def module_row(stub: ModuleStub, status: str, size: int, blob_hash: str, facts: ModuleFacts) -> ModuleRow:
    regions = [
        {"name": r.name, "path": r.path, "start_line": r.start_line, "end_line": r.end_line}
        for r in facts.regions
    ]
    variables = [
        {"name": v.name, "is_export": v.is_export, "directive": v.directive, "line": v.line}
        for v in facts.variables
    ]
    return ModuleRow(
        id=stub.id,
        kind=stub.kind,
        object_id=stub.object_id,
        path=stub.path,
        status=status,
        size_bytes=size,
        lines=facts.lines,
        is_server=stub.is_server,
        is_client_managed=stub.is_client_managed,
        is_client_ordinary=stub.is_client_ordinary,
        is_external_connection=stub.is_external_connection,
        is_server_call=stub.is_server_call,
        is_global=stub.is_global,
        is_privileged=stub.is_privileged,
        return_values_reuse=stub.return_values_reuse,
        regions=to_json(regions),
        variables=to_json(variables),
        blob_hash=blob_hash,
    )


def method_rows(stub: ModuleStub, ids: list[str], text: str, facts: ModuleFacts) -> Iterator[MethodRow]:
    for method_id, m in zip(ids, facts.methods, strict=True):
        body = text[m.start : m.end]
        yield MethodRow(
            id=method_id,
            module_id=stub.id,
            object_id=stub.object_id,
            name=m.name,
            kind=m.kind,
            is_export=m.is_export,
            is_async=m.is_async,
            directive=m.directive,
            annotations=to_json([{"kind": a.kind, "target": a.target} for a in m.annotations]),
            region=m.region,
            signature=m.signature,
            parameters=to_json(
                [{"name": p.name, "is_by_value": p.is_by_value, "default": p.default} for p in m.parameters]
            ),
            doc_comment=m.doc_comment,
            doc=m.doc,
            start_line=m.start_line,
            end_line=m.end_line,
            cyclomatic=m.cyclomatic,
            cognitive=m.cognitive,
            statements=m.statements,
            body=body,
            body_hash=text_hash(body),
        )
