"""The process that Dagster starts through Pipes for the join on Ray: `ray_job THRESHOLD RESULT.npy PART.parquet…`

It can be submitted to a cluster as it is; RAY_ADDRESS names the cluster, without it Ray runs on this machine. What it tells goes
to the step's log.
"""

from __future__ import annotations

import os
import sys
import time

import numpy as np
from dagster_pipes import open_dagster_pipes

from ai_stack_assets.domain.dataset.dedupe import on_ray


def main(threshold: str, result: str, *parts: str) -> None:
    """Leaves int64 per text, parts in order: the first text that it is connected with."""
    address = os.environ.get("RAY_ADDRESS", "")
    with open_dagster_pipes() as pipes:
        pipes.log.info(f"Ray at {address or 'this machine'}: {len(parts)} files")
        started = time.monotonic()
        found = np.concatenate(on_ray.components(parts, float(threshold), address=address))
        np.save(result, found)
        alone = len(np.unique(found))
        pipes.log.info(f"{len(found)} texts, {alone} components, {time.monotonic() - started:.1f} s")


if __name__ == "__main__":
    main(*sys.argv[1:])
