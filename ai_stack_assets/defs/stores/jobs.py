"""The job of this stage."""

import dagster as dg

from ai_stack_assets.orchestration import keys
from ai_stack_assets.orchestration.partitions import CONFIGURATIONS

stores = dg.define_asset_job(
    "stores_stage",
    selection=dg.AssetSelection.groups(keys.STORES),
    partitions_def=CONFIGURATIONS,
    description="Makes the stores equal to the current lake tables: also the repair of one that drifted.",
)
