"""What all assets of this stage have in common: their partitions are the weeks of the dataset, they share a pool."""

from typing import Any

from ai_stack_assets.defs.shared import settings
from ai_stack_assets.orchestration import keys
from ai_stack_assets.orchestration.partitions import weeks

WEEKS = weeks(settings.first_week_of_dataset(), settings.time_zone())

OF_SPEC: dict[str, Any] = {"group_name": keys.TRAINING, "owners": ["team:models"], "code_version": "1"}
"""Of an asset that is made beside others, or may be left out."""
OF_STEP: dict[str, Any] = {"partitions_def": WEEKS, "pool": keys.TRAINING}
"""Of what makes it."""
COMMON = {**OF_SPEC, **OF_STEP}
