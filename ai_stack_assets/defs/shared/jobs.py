"""Jobs over more than one stage, and how steps are executed."""

import dagster as dg

from ai_stack_assets.orchestration import keys

onec_pipeline = dg.define_asset_job(
    keys.PIPELINE,
    selection=dg.AssetSelection.groups(keys.EXTRACTION, keys.STORES),
    description="From the source of a configuration to four stores that agree with each other.",
)


@dg.definitions
def executor() -> dg.Definitions:
    """Every step in a process of its own: stores are written at the same time, and a crash stays within one.

    Measured with ten empty steps on two busy cores: spawned 24–40 s, forkserver with the location preloaded
    22 s, with Dagster's storage modules too 8 s (3.4 s of that once, to start it), in one process 0.7 s.
    """
    return dg.Definitions(
        executor=dg.multiprocess_executor.configured(
            {
                "max_concurrent": len(keys.STORE_KEYS),
                "start_method": {"forkserver": {"preload_modules": [keys.PRELOAD]}},
            }
        )
    )
