"""The model card: what a model is for, what it was made of, how good it is and when not to trust it, as markdown from one run.

After Mitchell et al., Model Cards for Model Reporting, 2019. The words about purpose, target and limits are the task's own
(`CARD`); every number comes from the run.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from ai_stack_assets.domain.common.charts import table

if TYPE_CHECKING:
    from ai_stack_assets.domain.training.contract import Evaluation, Task
    from ai_stack_assets.domain.training.evaluation.cost import Cost
    from ai_stack_assets.domain.training.evaluation.gates import Decision

MAX_SLICES = 25


def model_card(
    task: Task,
    *,
    facts: Mapping[str, Any],
    parameters: Mapping[str, Any],
    evaluation: Evaluation,
    baselines: Mapping[str, Evaluation],
    decision: Decision | None = None,
    cost: Cost | None = None,
) -> str:
    """Markdown. `facts`: of the data and the fit, such as revisions and rows by split; they are shown as they are."""
    words = getattr(task, "CARD", None) or {"purpose": inspect.getdoc(task) or ""}
    sections = {
        "What it is for": words.get("purpose", ""),
        "Target": words.get("target", ""),
        "Data": table(("fact", "value"), [(name, _shown(value)) for name, value in facts.items()]),
        "Quality on the test set": "\n\n".join(_quality(task.METRIC, evaluation, baselines, decision)),
        "By slice": _slices(task.METRIC, evaluation),
        "Limits": "\n\n".join(filter(None, (words.get("limits", ""), _limits(facts)))),
        "Cost of use": _cost(cost),
        "Decision": _decision(decision),
        "Settings": table(
            ("setting", "value"), [(name, _shown(value)) for name, value in parameters.items()]
        ),
    }
    parts = (f"## {title}\n\n{text}" for title, text in sections.items() if text)
    return f"# {task.NAME} (code version {task.CODE_VERSION})\n\n" + "\n\n".join(parts) + "\n"


def _quality(
    metric: str, evaluation: Evaluation, baselines: Mapping[str, Evaluation], decision: Decision | None
) -> Iterator[str]:
    names = [metric, *(name for name in evaluation.metrics if name != metric)]
    rows = [("this model", evaluation), *baselines.items()]
    cells = [(who, *(_number(e.metrics.get(name)) for name in names)) for who, e in rows]
    yield f"{evaluation.rows:,} examples that share no module family with the training set. The gate looks at `{metric}`."
    yield table(("", *names), cells)
    if decision and decision.comparison:
        interval = decision.comparison
        yield (
            f"Against champion {decision.against or ''}: {interval} ({interval.confidence:.0%}, paired bootstrap on the same "
            "examples)."
        )


def _slices(metric: str, evaluation: Evaluation) -> str:
    """The worst first: that is where not to trust it."""
    worst = sorted(evaluation.slices.items(), key=lambda entry: entry[1][metric])[:MAX_SLICES]
    rows = [(name, int(values["rows"]), _number(values[metric])) for name, values in worst]
    return table(("slice", "rows", metric), rows) if rows else ""


def _limits(facts: Mapping[str, Any]) -> str:
    configurations = facts.get("configurations")
    if not configurations:
        return ""
    return f"Trained and tested on the code of {_shown(configurations)}: how good it is on other code has not been measured."


def _cost(cost: Cost | None) -> str:
    if cost is None:
        return ""
    return (
        f"{cost.latency_ms:g} ms for one method, {cost.rows_per_second:,.0f} methods per second in bulk, {cost.size_mb:g} MB. "
        "Measured on the machine of the training run."
    )


def _decision(decision: Decision | None) -> str:
    if decision is None:
        return ""
    rows = [("passed" if gate.passed else "FAILED", gate.name, gate.said) for gate in decision.gates]
    return f"**{decision.outcome}**: {decision.reason}\n\n" + table(("", "gate", "found"), rows)


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.4g}"


def _shown(value: Any) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{name}: {_shown(each)}" for name, each in value.items())
    if isinstance(value, list | tuple):
        return ", ".join(map(str, value))
    return f"{value:,}" if isinstance(value, int) and not isinstance(value, bool) else str(value)
