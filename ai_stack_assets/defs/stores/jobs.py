"""The jobs of this stage."""

import dagster as dg

from ai_stack_assets.orchestration import checks, keys

stores = dg.define_asset_job(
    "stores_stage",
    selection=dg.AssetSelection.groups(keys.STORES),
    description="Makes the stores equal to the current lake tables: also the repair of one that drifted.",
)

stores_parity = dg.define_asset_job(
    "stores_parity",
    selection=dg.AssetSelection.checks(*(dg.AssetCheckKey(key, checks.PARITY) for key in keys.STORE_KEYS)),
    description="Compares the stores with the lake, all configurations, row by row; writes no row. Opening a store may: "
    "PostgreSQL is migrated, Neo4j gets its constraints, Elasticsearch the index of its leases, Qdrant its collection.",
)
