"""The process that Dagster starts through Pipes for the join on Ray. What it tells goes to the step's log.

It can be submitted to a cluster as it is: `ray_job --threshold 0.8 --result found.npy --address head:6379 part.parquet…`
"""

from __future__ import annotations

import argparse
import sys
import time

import numpy as np
from dagster_pipes import open_dagster_pipes

from ai_stack_assets.domain.dataset.dedupe import on_ray


def main(arguments: list[str]) -> None:
    """Leaves int64 per text, parts in order: the first text that it is connected with."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--threshold", type=float, required=True)
    parser.add_argument("--result", required=True)
    parser.add_argument("--address", default="", help="of a Ray cluster; without it Ray runs on this machine")
    parser.add_argument("parts", nargs="*")
    options = parser.parse_args(arguments)
    with open_dagster_pipes() as pipes:
        pipes.log.info(f"Ray at {options.address or 'this machine'}: {len(options.parts)} files")
        started = time.monotonic()
        found = np.concatenate(on_ray.components(options.parts, options.threshold, address=options.address))
        np.save(options.result, found)
        alone = len(np.unique(found))
        pipes.log.info(f"{len(found)} texts, {alone} components, {time.monotonic() - started:.1f} s")


if __name__ == "__main__":
    main(sys.argv[1:])
