"""Whether examples are fit to be trained on: looked for in the sets as they were written, once for each version.

    <work>/proofs/<task>-<version>-<least rows>.json         on this machine

What is looked for: `leaks`, `validation_rules`.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from ai_stack_assets.domain.common import files
from ai_stack_assets.domain.dataset.leaks import Crossing
from ai_stack_assets.domain.training.validation_rules import Finding

if TYPE_CHECKING:
    from ai_stack_assets.domain.common.lake import Version
    from ai_stack_assets.domain.training.contract import Sets


@dataclass(frozen=True)
class Proved:
    """`leaks`: what crosses splits. `quality`: what is wrong with what is trained on: too few rows, columns or values missing."""

    leaks: list[Crossing]
    quality: list[Finding]


@dataclass(frozen=True)
class Origin:
    """Where examples come from that are split as the dataset is. `clusters` may be gone from the lake."""

    splits: Version
    clusters: Version | None


def proved(task: str, examples: Version, origin: Origin | None, *, least_rows: int, folder: Path) -> Proved:
    """What was found in these examples of a task.

    Args:
        origin: None for states of the past, which are split by time.
        folder: of the stage on this machine.
    """
    from ai_stack_assets.domain.training import leaks, prepared, validation_rules

    rules = validation_rules.Rules(rows=least_rows)
    proof = folder / "proofs" / f"{task}-{examples.id}-{rules.rows}.json"
    if proof.exists():
        return msgspec.json.decode(proof.read_bytes(), type=Proved)
    sets = prepared.read(examples)
    crossings = (
        leaks.crossings(sets, splits=origin.splits, clusters=origin.clusters)
        if origin
        else [later_states(sets)]
    )
    found = Proved(crossings, validation_rules.findings(sets.train, rules))
    proof.parent.mkdir(parents=True, exist_ok=True)
    files.replace(proof, msgspec.json.encode(found))
    return found


def later_states(sets: Sets) -> Crossing:
    """States of code that are not older than those of the next split: a model would learn from what comes after its test."""
    states = [
        sorted(set(table["snapshot"].to_pylist())) for table in (sets.train, sets.validation, sets.test)
    ]
    wrong = [day for before, after in pairwise(states) for day in before if after and day >= after[0]]
    return Crossing("train_is_older_than_what_it_is_tested_on", len(wrong), wrong[:20])
