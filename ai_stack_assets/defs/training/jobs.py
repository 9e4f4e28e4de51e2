"""The jobs of this stage, and when they run by themselves."""

from typing import Any

import dagster as dg

from ai_stack_assets.defs.shared import settings
from ai_stack_assets.defs.training.weeks import WEEKS
from ai_stack_assets.orchestration import keys
from ai_stack_assets.resources.training import TrainingResource

USE = dg.AssetSelection.assets(keys.INFERENCE)
CLEANUP = dg.AssetSelection.assets(keys.CLEANUP)

training_stage = dg.define_asset_job(
    keys.TRAINING_JOB,
    selection=dg.AssetSelection.groups(keys.TRAINING) - USE - CLEANUP,
    description="From a week's dataset to models that are in use if they are better: features, drift, fits, gates, registry.",
    # seconds: four models with a search of twenty minutes each
    tags={"dagster/max_runtime": 14_400},
)

training_features = dg.define_asset_job(
    keys.FEATURES_JOB,
    selection=dg.AssetSelection.assets(keys.FEATURES) | USE,
    description="Features of code as it is now, and what the models in use say of the methods that are new.",
)

training_cleanup = dg.define_asset_job(
    keys.CLEANUP_JOB,
    selection=CLEANUP,
    description="Removes what nobody needs any more: temporary files, stale checkpoints, old weeks and runs.",
)


def week_of(training: TrainingResource) -> str | None:
    """The newest that has a dataset to train on; else the newest that is over, whose configurations have features too."""
    return next(iter(training.weeks()), None) or WEEKS.get_last_partition_key()


def schedule(name: str, job: Any, cron: str, description: str) -> dg.ScheduleDefinition:
    @dg.schedule(
        name=name,
        job=job,
        cron_schedule=cron,
        execution_timezone=settings.time_zone(),
        default_status=dg.DefaultScheduleStatus.STOPPED,
        description=description,
    )
    def due(
        context: dg.ScheduleEvaluationContext, training_settings: TrainingResource
    ) -> dg.RunRequest | dg.SkipReason:
        if week := week_of(training_settings):
            return dg.RunRequest(partition_key=week)
        return dg.SkipReason("No week of the dataset is over yet.")

    return due


every_hour = schedule(
    "training_features_every_hour",
    training_features,
    "5 * * * *",
    "Features and inference of what is new, each hour.",
)
every_sunday = schedule(
    "training_every_sunday",
    training_stage,
    "0 6 * * 0",
    "Trains on the dataset that was made in the night to Sunday, as far as its drift asks for it.",
)
cleanup_every_day = schedule(
    "training_cleanup_every_day",
    training_cleanup,
    "0 5 * * *",
    "Cleans up each day, also when nothing was trained.",
)
