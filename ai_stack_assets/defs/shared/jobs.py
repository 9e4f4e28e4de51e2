"""Jobs over more than one stage, and how steps are executed."""

from pathlib import Path

import dagster as dg

from ai_stack_assets.defs.shared import settings
from ai_stack_assets.orchestration import executors, keys

onec_pipeline = dg.define_asset_job(
    keys.PIPELINE,
    selection=dg.AssetSelection.groups(keys.EXTRACTION, keys.STORES),
    description="From the source of a configuration to four stores that agree with each other.",
)


def executor_of_settings() -> dg.ExecutorDefinition:
    """AI_STACK_ASSETS_EXECUTOR: a file with the settings of pods; unset: processes."""
    file = settings.text("AI_STACK_ASSETS_EXECUTOR")
    return executors.pods(Path(file)) if file else executors.processes()


@dg.definitions
def executor() -> dg.Definitions:
    return dg.Definitions(executor=executor_of_settings())
