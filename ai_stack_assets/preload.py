"""What every step needs, imported once: steps are forked from a process that has imported this module.

Without the storage modules each step spends 1–2 s on importing them. Nothing may start threads here.
"""

import importlib

from ai_stack_assets.definitions import defs

MODULES = (
    "alembic.config",
    "dagster._core.instance.factory",
    "dagster._core.launcher.default_run_launcher",
    "dagster._core.run_coordinator.queued_run_coordinator",
    "dagster._core.storage.local_compute_log_manager",
    "dagster._core.storage.root",
    "dagster._core.storage.sqlite_storage",
    "sqlalchemy.dialects.sqlite",
    # the workers of the extraction are forked from the same process
    "ai_stack_assets.domain.onec.groups",
    "ai_stack_assets.domain.onec.linking",
    "pyarrow.compute",
    "pyarrow.parquet",
)

for _name in MODULES:
    importlib.import_module(_name)
defs()
