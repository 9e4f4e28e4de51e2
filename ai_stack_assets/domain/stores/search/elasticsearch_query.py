"""Index mapping and query plans in Elasticsearch's language. No requests here."""

from __future__ import annotations

from typing import Any

from ai_stack_assets.domain.stores.search import documents as docs
from ai_stack_assets.domain.stores.search.query import PHRASE_BOOST, TIE_BREAKER, WHOLE_BOOST, Plan

SETTINGS = {"number_of_shards": 1, "refresh_interval": "-1"}


def mappings(configuration: str) -> dict[str, Any]:
    shown = {
        name: {"type": "keyword" if name in docs.KEYWORDS else "text", "index": name in docs.KEYWORDS}
        for name in docs.STORED
    }
    terms = {
        docs.terms_field(text): {
            "type": "text",
            "analyzer": "whitespace",
            "index_options": "positions" if text in docs.PHRASES else "freqs",
        }
        for text in docs.TEXTS
    }
    facts = {
        "is_export": {"type": "boolean"},
        "line": {"type": "integer"},
        "content_hash": {"type": "keyword"},
    }
    return {
        "dynamic": "strict",
        "_meta": {"configuration": configuration},
        "_source": {"excludes": [*terms, "content_hash"]},
        "properties": {**shown, **terms, **facts},
    }


def compiled(wanted: Plan) -> dict[str, Any]:
    def anywhere(term: str, boost: float = 1.0) -> dict[str, Any]:
        queries = [
            {"term": {docs.terms_field(text): {"value": term, "boost": weight}}}
            for text, weight in docs.TEXTS.items()
        ]
        return {"dis_max": {"queries": queries, "tie_breaker": TIE_BREAKER, "boost": boost}}

    words = [{"bool": {"must": [anywhere(part) for part in word]}} for word in wanted.words]
    better = [anywhere(whole, WHOLE_BOOST) for whole in wanted.wholes]
    if len(wanted.sequence) > 1:
        phrase = " ".join(wanted.sequence)
        better += [
            {
                "match_phrase": {
                    docs.terms_field(text): {"query": phrase, "boost": PHRASE_BOOST * docs.TEXTS[text]}
                }
            }
            for text in docs.PHRASES
        ]
    return {
        "bool": {
            "must": [{"bool": {"should": words, "minimum_should_match": wanted.minimum}}],
            "should": better,
            "filter": [{"terms": {"kind": list(wanted.kinds)}}] if wanted.kinds else [],
        }
    }
