"""Rules that keep a record out of the dataset. Each is a pure function: sample and thresholds in, what it saw out, or None.

The name of a rule is the reason that stands in the table `rejected`, what it returns is the `detail`. To add a rule, write the
function and list it here; the order is that of telling: the first reason is the one that counts.
"""

from __future__ import annotations

from collections.abc import Callable

from ai_stack_assets.domain.dataset.filters.content import generated_code, low_information
from ai_stack_assets.domain.dataset.filters.settings import FilterSettings
from ai_stack_assets.domain.dataset.filters.structure import empty_body, parse_errors, too_long, too_short
from ai_stack_assets.domain.dataset.filters.text import encoding_damage, long_lines, mostly_comments, not_bsl
from ai_stack_assets.domain.dataset.quality_sample import Sample

Rule = Callable[[Sample, FilterSettings], str | None]

RULES: dict[str, Rule] = {
    # what costs no time first: it guards the others from a file of 50 MB
    "too_long": too_long,
    "encoding_damage": encoding_damage,
    "not_bsl": not_bsl,
    "parse_errors": parse_errors,
    "empty_body": empty_body,
    "too_short": too_short,
    "long_lines": long_lines,
    "mostly_comments": mostly_comments,
    "generated_code": generated_code,
    "low_information": low_information,
}


def reason_against(sample: Sample, settings: FilterSettings) -> tuple[str, str] | None:
    """Reason and detail of the first rule that speaks against the record; None when it is good."""
    for reason, rule in RULES.items():
        detail = rule(sample, settings)
        if detail is not None:
            return reason, detail
    return None


__all__ = ["RULES", "FilterSettings", "Rule", "reason_against"]
