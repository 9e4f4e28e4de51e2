"""The champion of the embeddings as an asset that is observed: its data version changes when another model is in use.

Whoever moves the alias reports an observation; a sensor sees what others did. What depends on it is then made anew.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import dagster as dg
from dagster._core.definitions.data_version import extract_data_version_from_entry

from ai_stack_assets.orchestration import keys

if TYPE_CHECKING:
    from ai_stack_assets.domain.training.registry.aliases import Registered

TASK = "embeddings"
NONE = "none"
"""Data version while no model is in use."""


def data_version(champion: Registered | None) -> str:
    """A version number says little: a registry that was set up anew counts from 1 again."""
    return f"{champion.version}-{champion.run_id}" if champion else NONE


def metadata(champion: Registered | None) -> dict[str, Any]:
    if champion is None:
        return {"version": NONE}
    return {
        "version": champion.version,
        "uri": champion.uri,
        "mlflow_run": champion.run_id,
        **_origin(champion),
    }


def observed(champion: Registered | None) -> dg.AssetObservation:
    """The same one twice is no news."""
    said = f"Version {champion.version} is in use." if champion else "No model is in use."
    return dg.AssetObservation(
        keys.CHAMPION,
        description=said,
        metadata=metadata(champion),
        tags={"dagster/data_version": data_version(champion)},
    )


def last_observed(instance: dg.DagsterInstance) -> str:
    """Data version of the last observation. Never observed: as if there were none, which nobody needs to be told."""
    records = instance.fetch_observations(keys.CHAMPION, limit=1).records
    found = extract_data_version_from_entry(records[0].event_log_entry) if records else None
    return found.value if found else NONE


def _origin(champion: Registered) -> dict[str, Any]:
    """The data that it learned from."""
    return {name: value for name in ("week", "dataset_revision") if (value := champion.tags.get(name))}
