"""From the domain's findings to asset check results: what failed, by how much, and at most 20 samples."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

import dagster as dg

from ai_stack_assets.domain.onec.checks import ERROR, GATES, Gate
from ai_stack_assets.domain.stores.sync import Difference
from ai_stack_assets.orchestration import keys
from ai_stack_assets.orchestration.partitions import CONFIGURATIONS

if TYPE_CHECKING:
    from ai_stack_assets.domain.onec.checks import CheckResult
    from ai_stack_assets.domain.stores.doctor import Diagnosis

PARITY = "equals_the_lake"
HEALTH = "store_is_healthy"


def gate_specs() -> list[dg.AssetCheckSpec]:
    return [
        dg.AssetCheckSpec(
            gate.name,
            asset=_stands_on(gate),
            description=gate.description,
            blocking=gate.severity == ERROR,
            partitions_def=CONFIGURATIONS,
        )
        for gate in GATES.values()
    ]


def gates(findings: Sequence[CheckResult]) -> Iterator[dg.AssetCheckResult]:
    for finding in findings:
        yield dg.AssetCheckResult(
            asset_key=_stands_on(GATES[finding.name]),
            check_name=finding.name,
            passed=finding.passed,
            severity=dg.AssetCheckSeverity[finding.severity.upper()],
            description=finding.description,
            metadata={"actual": finding.actual, "threshold": finding.threshold, "sample": finding.sample},
        )


def _stands_on(gate: Gate) -> dg.AssetKey:
    """Automation asks the blocking checks of what an asset reads, and `objects` is what everything reads."""
    return keys.lake("objects" if gate.severity == ERROR else gate.table)


def parity(key: dg.AssetKey, compared: Mapping[str, Sequence[Difference]]) -> dg.AssetCheckResult:
    """Passed when no row is missing in the store, different, or unknown to the lake. By configuration."""
    found = {f"{name}/{d.collection}": d for name, ds in compared.items() for d in ds if not d.is_empty}
    counts = {place: len(d.added) + len(d.changed) + len(d.removed) for place, d in found.items()}
    wrong = sum(counts.values())
    said = ", ".join(f"{place}: {count}" for place, count in counts.items())
    return dg.AssetCheckResult(
        asset_key=key,
        check_name=PARITY,
        passed=not found,
        description=f"{wrong} rows differ ({said})." if found else "The store equals the lake.",
        metadata={
            "actual": wrong,
            "threshold": 0,
            "configurations": list(compared),
            "sample": {place: d.sample() for place, d in found.items()},
        },
    )


def health(key: dg.AssetKey, diagnosis: Diagnosis) -> dg.AssetCheckResult:
    """Passed when the store could do its work now; else what is wrong, and which setting to change."""
    return dg.AssetCheckResult(
        asset_key=key,
        check_name=HEALTH,
        passed=diagnosis.is_healthy,
        description=diagnosis.problem or "Reachable, supported, with the rights it needs, schema current.",
        metadata={
            "actual": len([finding for finding in diagnosis.findings if not finding.is_good]),
            "threshold": 0,
            "found": {finding.step: finding.said for finding in diagnosis.findings},
        },
    )
