"""From the training stage to Dagster's events: what a person wants to see of each part, and its checks."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import dagster as dg

from ai_stack_assets.domain.training.tasks import BY_TIME
from ai_stack_assets.orchestration import keys
from ai_stack_assets.orchestration.dataset import check

if TYPE_CHECKING:
    from ai_stack_assets.domain.dataset.leaks import Crossing
    from ai_stack_assets.domain.dataset.pipeline import Made
    from ai_stack_assets.domain.training.choice import Choice
    from ai_stack_assets.domain.training.features.store import Update
    from ai_stack_assets.domain.training.registry.aliases import Registered
    from ai_stack_assets.domain.training.registry.decisions import Row
    from ai_stack_assets.domain.training.validation_rules import Finding

LEAKS = {
    "no_code_crosses_splits": "No code is in two splits.",
    "no_module_crosses_splits": "No module of a configuration is in two splits.",
    "no_cluster_crosses_splits": "No cluster of near-duplicates is in two splits.",
    "no_evaluation_family_is_in_train": "No family of modules is in train and in validation or test.",
    "splits_are_those_of_the_dataset": "Every example is in the split that the dataset stage gave its method.",
}
TIME_LEAKS = {
    "train_is_older_than_what_it_is_tested_on": "No state of the code that is trained on is as new as one that is tested on."
}
"""Of the task whose examples are states of the past."""
QUALITY = "examples_are_enough_and_whole"
GATES = {
    "reaches_its_threshold": (
        "The metric, and every other that has a least value, reaches it.",
        ("threshold", "minimum"),
    ),
    "beats_its_baselines": ("The metric is above that of every baseline.", ("beats",)),
    "is_better_than_the_champion": (
        "The metric is above the champion's on the same test set, with its confidence interval.",
        ("better",),
    ),
    "no_slice_is_worse": (
        "No configuration and no type of module lost more than the margin against the champion.",
        ("no slice",),
    ),
    "costs_stay_within_limits": (
        "Latency, speed and size of the model are within their limits.",
        ("latency", "rows_per_second", "size"),
    ),
}
"""Checks of an evaluation: what each says, and how the names of its gates begin."""
_OF_FIT = ("seed", "code_version", "examples", "rows", "data", "seconds", "threads", "device", "gpu")
_REFUSED = ("retrain", "investigate")


def leaks_of(task: str) -> dict[str, str]:
    """What is proved of a task's examples, by the name of the check."""
    return TIME_LEAKS if task == BY_TIME else LEAKS


def example_checks(task: str) -> list[dg.AssetCheckSpec]:
    key, properties = keys.EXAMPLES[task], leaks_of(task).items()
    leaks = [dg.AssetCheckSpec(name, asset=key, blocking=True, description=said) for name, said in properties]
    said = "As many rows as training.yaml asks for, all columns, no unknown values beyond what is allowed."
    return [*leaks, dg.AssetCheckSpec(QUALITY, asset=key, blocking=True, description=said)]


def gate_checks(key: dg.AssetKey) -> list[dg.AssetCheckSpec]:
    return [
        dg.AssetCheckSpec(name, asset=key, blocking=True, description=said)
        for name, (said, _) in GATES.items()
    ]


def features(made: Mapping[str, Update]) -> dict[str, Any]:
    names = ("rows", "computed", "reused", "repeated")
    rows = [
        (source, *(update.facts[name] for name in names), update.is_new) for source, update in made.items()
    ]
    return {
        "dagster/row_count": sum(update.facts["rows"] for update in made.values()),
        "computed": sum(update.facts["computed"] for update in made.values() if update.is_new),
        "is_new": any(update.is_new for update in made.values()),
        "sources": _table(["source", *names, "is_new"], rows),
        "seconds": {
            source: sum(update.facts["seconds"].values()) for source, update in made.items() if update.is_new
        },
        "versions": {source: update.version.id for source, update in made.items()},
        "dagster/column_schema": _feature_schema(),
    }


def examples(made: Made) -> dict[str, Any]:
    from ai_stack_assets.domain.dataset import pictures

    facts = made.facts
    return {
        "dagster/row_count": sum(facts["rows"].values()),
        "dagster/uri": made.version.uri("train"),
        "Examples by split": dg.MarkdownMetadataValue(pictures.split_sizes(facts["rows"])),
        "is_new": made.is_new,
        "version": made.version.id,
        "facts": facts,
    }


def leaks(task: str, found: Iterable[Crossing]) -> Iterator[dg.AssetCheckResult]:
    """What could not be looked for is a warning: the deduplication of an old week may be gone."""
    by_name, key = {crossing.name: crossing for crossing in found}, keys.EXAMPLES[task]
    for name in leaks_of(task):
        if crossing := by_name.get(name):
            yield check(key, name, crossing.passed, crossing.count, 0, crossing.sample)
        else:
            warn = dg.AssetCheckSeverity.WARN
            yield check(
                key, name, False, "unknown", 0, (), warn, "What it is looked up in is no longer in the lake."
            )


def quality(key: dg.AssetKey, found: Sequence[Finding]) -> dg.AssetCheckResult:
    said = "; ".join(finding.message for finding in found)
    return check(
        key, QUALITY, not found, len(found), 0, [finding.message for finding in found], description=said
    )


def left_out(key: dg.AssetKey, reason: str, partition: str) -> dg.AssetObservation:
    """Why nothing was made: seen on the asset's page, between its materialisations."""
    return dg.AssetObservation(
        asset_key=key, partition=partition, description=reason, metadata={"reason": reason}
    )


def drift(made: Made) -> dict[str, Any]:
    facts = made.facts
    chosen = [
        (task, "yes" if each["is_trained"] else "no", each["reason"])
        for task, each in facts["choices"].items()
    ]
    return {
        "level": facts["level"],
        "reasons": facts["reasons"],
        "Which models are trained": _table(["model", "trained", "why"], chosen),
        **{title: dg.MarkdownMetadataValue(text) for title, text in facts["pictures"].items()},
        "is_new": made.is_new,
        "version": made.version.id,
        "facts": {name: value for name, value in facts.items() if name not in ("pictures", "choices")},
    }


def model(made: Made, choice: Choice) -> dict[str, Any]:
    facts = made.facts
    size = sum(entry["bytes"] for entry in made.version.manifest["tables"].values())
    rows = [(name, value) for name, value in sorted(facts["parameters"].items())]
    return {
        "reason": choice.reason if choice.is_trained else f"asked for ({choice.reason})",
        "is_new": made.is_new,
        "version": made.version.id,
        "dagster/uri": made.version.uri("model"),
        "dagster/row_count": facts["rows"]["train"],
        "size_bytes": size,
        "fit_seconds": facts["seconds"]["fit"],
        "peak_mb": facts["peak_mb"],
        "parameters": _table(["parameter", "value"], rows),
        "parameters_from": facts["parameters_from"],
        # a list wraps; a block of code is as wide as its longest line, and the table with it
        "log": dg.MarkdownMetadataValue("\n".join(f"- {line}" for line in facts["log"])),
        "facts": {name: facts[name] for name in _OF_FIT if name in facts},
    }


def evaluation(made: Made) -> dict[str, Any]:
    from ai_stack_assets.domain.training import pictures

    facts = made.facts
    decision = facts["decision"]
    return {
        "outcome": decision["outcome"],
        "reason": decision["reason"],
        **({"in_use": stays(facts)} if decision["outcome"] in _REFUSED else {}),
        "target": decision["target"],
        "Against what it has to beat": dg.MarkdownMetadataValue(pictures.comparison(facts)),
        "Gates": dg.MarkdownMetadataValue(pictures.gates(decision["gates"])),
        "Slices": dg.MarkdownMetadataValue(pictures.slices(facts)),
        **{f"metric/{name}": round(value, 5) for name, value in facts["metrics"].items() if value == value},
        **{title: dg.MarkdownMetadataValue(text) for title, text in facts["pictures"].items()},
        "Model card": dg.MarkdownMetadataValue(facts["card"]),
        "dagster/row_count": facts["rows"],
        "is_new": made.is_new,
        "model": facts["model"],
        "mlflow_run": facts["run_id"],
        "cost": facts["cost"],
        "seconds": facts["seconds"],
    }


def stays(facts: Mapping[str, Any]) -> str:
    """Which model goes on being used after a refusal."""
    champion = facts["champion"]
    return f"version {champion['version']} stays in use" if champion else "there is still no model in use"


def gates(key: dg.AssetKey, made: Made) -> Iterator[dg.AssetCheckResult]:
    """A model that may be registered as challenger goes on with warnings; any other goes no further."""
    decision = made.facts["decision"]
    is_refused = decision["outcome"] in _REFUSED
    severity = dg.AssetCheckSeverity.ERROR if is_refused else dg.AssetCheckSeverity.WARN
    for name, (_, beginnings) in GATES.items():
        found = [gate for gate in decision["gates"] if gate["name"].startswith(beginnings)]
        failed = [gate for gate in found if not gate["passed"]]
        nothing = {"actual": None, "threshold": None}
        shown = failed[0] if failed else min(found, key=_distance, default=nothing)
        said = "; ".join(gate["said"] for gate in failed or found) or "Nothing to compare with."
        said += f": {stays(made.facts)}" if failed and is_refused else ""
        sample = [gate["said"] for gate in failed]
        result = check(key, name, not failed, shown["actual"], shown["threshold"], sample, severity, said)
        yield result._replace(metadata={**result.metadata, "gates": _gates(found)})


def _distance(gate: Mapping[str, Any]) -> float:
    """From what is asked, as a share of it: of several gates the nearest tells most."""
    actual, threshold = gate["actual"], gate["threshold"]
    if actual is None or threshold is None:
        return float("inf")
    return abs(actual - threshold) / (abs(threshold) or 1)


def _gates(found: Sequence[Mapping[str, Any]]) -> dg.MarkdownMetadataValue:
    """Every gate of a check, with what was found and asked."""
    rows = [(g["name"], "yes" if g["passed"] else "no", g["actual"], g["threshold"]) for g in found]
    return _table(["gate", "passed", "actual", "threshold"], rows)


def registered(row: Row, made: Made, champion: Registered | None) -> dict[str, Any]:
    return {
        **_decided(row, champion),
        "outcome": made.facts["decision"]["outcome"],
        made.facts["metric"]: made.facts["metrics"][made.facts["metric"]],
    }


def moved_by_hand(task: str, row: Row, champion: Registered | None) -> dg.AssetMaterialization:
    """What a person did, on the page of the registered model: in the week that the version in use was trained in."""
    week = champion.tags.get("week") if champion else None
    return dg.AssetMaterialization(
        keys.REGISTERED[task],
        description=f"{row.action.replace('_', ' ')} by hand",
        partition=week,
        metadata=_decided(row, champion),
    )


def _decided(row: Row, champion: Registered | None) -> dict[str, Any]:
    return {
        "action": row.action,
        "reason": row.reason,
        "version": str(row.version or ""),
        "champion": champion.version if champion else "",
        "champion_before": str(row.champion_before or ""),
        "uri": champion.uri if champion else "",
        "mlflow_run": row.run_id or "",
        "decided_at": row.decided_at.isoformat(),
    }


def _feature_schema() -> dg.TableSchema:
    from ai_stack_assets.domain.training.features import definitions

    return dg.TableSchema([dg.TableColumn(f.name, str(f.type), f.meaning) for f in definitions.FEATURES])


def _table(names: Sequence[str], rows: Iterable[Sequence[Any]]) -> dg.MarkdownMetadataValue:
    from ai_stack_assets.domain.common import charts

    return dg.MarkdownMetadataValue(charts.table(names, list(rows)))
