"""What every step needs, imported once: steps are forked from a process that has imported this module.

Without the storage modules each step spends 1–2 s on importing them. Nothing may start threads here.
"""

import importlib
import multiprocessing.connection
import multiprocessing.util
import os
import threading

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


def _end_with_the_run(_: object) -> None:
    """In each process that is started from here.

    When the run's process is killed, a step would go on beside the next run, and then wait for ever to hand over its events:
    their pipe is full, and nobody reads. Ended at any moment, it leaves what the next run repairs.
    """
    threading.Thread(target=_wait_for_parent, daemon=True).start()


def _wait_for_parent() -> None:
    if parent := multiprocessing.parent_process():
        multiprocessing.connection.wait([parent.sentinel])
        os._exit(1)


multiprocessing.util.register_after_fork(_end_with_the_run, _end_with_the_run)
