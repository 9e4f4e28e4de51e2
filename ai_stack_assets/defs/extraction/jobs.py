"""The job of this stage."""

import dagster as dg

from ai_stack_assets.orchestration import keys

extraction = dg.define_asset_job(
    "extraction_stage",
    selection=dg.AssetSelection.groups(keys.EXTRACTION),
    description="Only the lake tables of a configuration; the stores are left as they are, but for the vectors, which follow.",
)
