"""Jobs over more than one stage."""

import dagster as dg

from ai_stack_assets.orchestration import keys
from ai_stack_assets.orchestration.partitions import CONFIGURATIONS

onec_pipeline = dg.define_asset_job(
    "onec_pipeline",
    selection=dg.AssetSelection.groups(keys.EXTRACTION, keys.STORES),
    partitions_def=CONFIGURATIONS,
    description="Everything from a configuration's source to four agreeing stores.",
)
