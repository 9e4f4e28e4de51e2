"""The job of this stage."""

import dagster as dg

from ai_stack_assets.orchestration import keys
from ai_stack_assets.orchestration.partitions import CONFIGURATIONS

extraction = dg.define_asset_job(
    "extraction_stage",
    selection=dg.AssetSelection.groups(keys.EXTRACTION),
    partitions_def=CONFIGURATIONS,
    description="Only the lake tables of a configuration; the stores are left as they are.",
)
