"""What a person sees of the models in use: what they say of code, and what was removed because nobody needs it any more."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import dagster as dg

from ai_stack_assets.domain.common import charts
from ai_stack_assets.orchestration.dataset import check

if TYPE_CHECKING:
    from ai_stack_assets.domain.dataset.pipeline import Made
    from ai_stack_assets.domain.training.cleaning import Cleaned

CLEANED = "everything_was_removed"
_SAMPLE = 20


def inference(made: Mapping[str, Made]) -> dict[str, Any]:
    from ai_stack_assets.domain.training.worth_a_look import lists

    shown = {title: text for each in made.values() for title, text in lists(each.version)}
    columns = ["configuration", "methods", "model", "version", "asked", "seconds"]
    places = [(name, each.version.path.as_uri()) for name, each in made.items()]
    rows = [
        (
            name,
            each.facts["rows"],
            task,
            version,
            each.facts["asked"][task] if each.is_new else 0,
            each.facts["seconds"][task],
        )
        for name, each in made.items()
        for task, version in each.facts["champions"].items()
    ]
    return {
        "dagster/row_count": sum(each.facts["rows"] for each in made.values()),
        "asked": sum(row[4] for row in rows),
        "is_new": any(each.is_new for each in made.values()),
        "models": dg.MarkdownMetadataValue(charts.table(columns, rows)),
        **{title: dg.MarkdownMetadataValue(text) for title, text in shown.items()},
        "places": dg.MarkdownMetadataValue(charts.table(["configuration", "place"], places)),
    }


def cleaned(found: Cleaned) -> dict[str, Any]:
    rows = [(each.kind, each.what, each.bytes) for each in found.removed[:_SAMPLE]]
    return {
        "dagster/row_count": len(found.removed),
        "freed_bytes": sum(each.bytes for each in found.removed),
        **{f"{kind}s": found.count(kind) for kind in ("checkpoint", "week", "run")},
        "removed": dg.MarkdownMetadataValue(charts.table(["kind", "what", "bytes"], rows)),
        "problems": found.problems,
    }


def cleanup_checks(key: dg.AssetKey) -> list[dg.AssetCheckSpec]:
    return [
        dg.AssetCheckSpec(CLEANED, asset=key, description="Nothing that should have gone stood in the way.")
    ]


def all_cleaned(key: dg.AssetKey, found: Cleaned) -> dg.AssetCheckResult:
    problems, warn = found.problems, dg.AssetCheckSeverity.WARN
    return check(key, CLEANED, not problems, len(problems), 0, problems, warn, "; ".join(problems))
