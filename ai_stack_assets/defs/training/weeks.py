"""The partitions of this stage: the weeks of the dataset."""

from ai_stack_assets.defs.shared import settings
from ai_stack_assets.orchestration.partitions import weeks

WEEKS = weeks(settings.first_week_of_dataset(), settings.time_zone())
