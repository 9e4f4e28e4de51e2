"""Query-language texts: which tables, fields and parameters they read. No configuration here."""

from __future__ import annotations

import re

from ai_stack_assets.domain.bsl.facts import QueryFacts, QueryTable

_TABLE = re.compile(
    r"(?:\bиз|\bfrom|\bсоединение|\bjoin)\s+([^\W\d][\w.]*)(?:\s*\([^()]*\))?(?:\s+(?:как|as)\s+(\w+))?", re.I
)
_PARAMETER = re.compile(r"&(\w+)")
_TEMPORARY = re.compile(r"\b(?:поместить|into)\s+(\w+)", re.I)


def parse_query(text: str) -> QueryFacts:
    """What the text reads and creates. Never raises; a text that does not parse is marked as a fragment."""
    tables = [QueryTable(name, alias or "") for name, alias in _TABLE.findall(text)]
    return QueryFacts(
        not tables,
        tables,
        [],
        list(dict.fromkeys(_PARAMETER.findall(text))),
        list(dict.fromkeys(_TEMPORARY.findall(text))),
    )
