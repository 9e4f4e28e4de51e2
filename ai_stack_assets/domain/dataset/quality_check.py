"""The gate before publishing: whether what would be published is good enough as a whole. Reads facts, judges, writes nothing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ai_stack_assets.domain.dataset.quality import BINS, QualitySettings
from ai_stack_assets.domain.onec.checks import ERROR, CheckResult

MEAN_SCORE = "mean_quality_exceeds_threshold"


def check_mean_score(facts: Mapping[str, Any], settings: QualitySettings) -> CheckResult:
    """The mean `quality_score` must exceed `least_mean_score`: of the publishable records, of all when none is publishable.

    Args:
        facts: as `quality.refine` returned them.
    """
    is_public = facts["mean_score_publishable"] is not None
    mean = facts["mean_score_publishable"] if is_public else facts["mean_score"]
    if mean is None:
        return CheckResult(MEAN_SCORE, False, ERROR, 0.0, settings.least_mean_score, [], "No record is left.")
    below = sum(facts["score_histogram"][: int(settings.least_mean_score * BINS)])
    said = (
        f"The mean quality of {'publishable' if is_public else 'all'} records is {mean:.3f}; "
        f"{below} of {facts['rows_out']} records are below {settings.least_mean_score}."
    )
    passed = mean > settings.least_mean_score
    return CheckResult(MEAN_SCORE, passed, ERROR, mean, settings.least_mean_score, [], said)
