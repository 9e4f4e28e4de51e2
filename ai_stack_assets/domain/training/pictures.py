"""What a person looks at after a training, as markdown: facts of an evaluation in, drawn with `charts`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from ai_stack_assets.domain.common import charts

NOTHING = "Nothing to show."
WORST = 25
"""Slices shown."""


def comparison(facts: Mapping[str, Any]) -> str:
    """The model beside the one in use and the baselines: the metric as bars, all that they have in common as a table."""
    metric, champion = facts["metric"], facts["champion"]
    named = {"this model": facts["metrics"]}
    if champion:
        named[f"champion, version {champion['version']}"] = champion["metrics"]
    named |= facts["baselines"]
    values = {name: max(0.0, metrics[metric]) for name, metrics in named.items()}
    bars = charts.bars(values, f"{metric}, {facts['rows']:,} examples", shares=False)
    shared = Counter(name for metrics in named.values() for name in metrics)
    names = sorted(name for name, count in shared.items() if count > 1 and name != metric)
    rows = [[who, *(_cell(metrics.get(name)) for name in (metric, *names))] for who, metrics in named.items()]
    return f"{charts.image(bars, f'{metric} by model')}\n\n{charts.table(['', metric, *names], rows)}"


def gates(found: Sequence[Mapping[str, Any]]) -> str:
    rows = [["passed" if gate["passed"] else "**failed**", gate["name"], gate["said"]] for gate in found]
    return charts.table(["", "gate", "found"], rows) if rows else NOTHING


def slices(facts: Mapping[str, Any]) -> str:
    """The worst first."""
    metric = facts["metric"]
    worst = sorted(facts["slices"].items(), key=lambda item: item[1][metric])[:WORST]
    rows = [[name, int(values["rows"]), _cell(values[metric])] for name, values in worst]
    return charts.table(["slice", "rows", metric], rows) if rows else NOTHING


def _cell(value: float | None) -> str:
    return "" if value is None else f"{value:.4f}"
