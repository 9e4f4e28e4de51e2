"""What declarative automation does without being switched on: vectors follow the model that makes them.

All other conditions wait in Dagster's default sensor until somebody switches it on.
"""

import dagster as dg

from ai_stack_assets.orchestration import keys

vectors = dg.AutomationConditionSensorDefinition(
    "vectors",
    target=dg.AssetSelection.assets(keys.VECTORISER, keys.QDRANT_POINTS, keys.QDRANT_SIMILAR),
    default_status=dg.DefaultSensorStatus.RUNNING,
    # a run for each configuration, so that they wait in the pools and fail one by one
    emit_backfills=False,
    description="Makes the vectors of each configuration anew when another champion is in use, or its tables are new.",
)
