"""The join of `slices` on Ray: one machine with several processes, or a cluster. Only what travels and where it runs.

Ray was chosen by measuring it against Spark with the same kernels (docs/distributed-dedupe.md).
"""

from __future__ import annotations

import socket
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np

from ai_stack_assets.domain.common.failures import TransientError
from ai_stack_assets.domain.dataset.dedupe import slices

_CONNECT_SECONDS = 10


def components(
    parts: Sequence[str], threshold: float, *, address: str = "", slice_count: int = 0, column: str = "code"
) -> list[np.ndarray]:
    """Which texts are connected by J >= threshold.

    Args:
        parts: Parquet files that every worker can read: a shared folder or `s3://…`.
        address: `host:port` of a cluster's head; empty: this machine.
        slice_count: ranges of the join; 0: two for each core.

    Returns:
        Per part, int64 per text: number of the first text (over all parts) that it is connected with.

    Raises:
        TransientError: the cluster does not answer.
    """
    import ray

    connect(address)
    try:
        count = slice_count or 2 * int(ray.cluster_resources().get("CPU", 2))
        shingled = ray.remote(num_returns=3)(_shingled)
        cut = ray.remote(num_returns=count)(slices.cut)
        link = ray.remote(_link)
        made: list[Any] = [shingled.remote(part, column) for part in parts]
        numbers = ray.get([sizes for _, _, sizes in made])
        table = ray.put(_sum(ray, [counted for _, counted, _ in made]))
        starts = np.cumsum([0, *(sets for sets, _ in numbers)])
        shares = [
            _listed(cut.remote(sets, table, int(start), count, threshold))
            for (sets, _, _), start in zip(made, starts, strict=False)
        ]
        links = ray.get([link.remote(threshold, *(share[k] for share in shares)) for k in range(count)])
        of_text = [of_text for _, of_text in numbers]
    finally:
        ray.shutdown()
    return by_text(of_text, starts, slices.components(int(starts[-1]), links))


def connect(address: str) -> None:
    """Enter a cluster, or start Ray on this machine. Raises TransientError when it does not answer."""
    import ray

    try:
        if address:
            # Ray itself goes on trying for minutes
            host, _, port = address.rpartition("//")[2].rpartition(":")
            socket.create_connection((host, int(port)), timeout=_CONNECT_SECONDS).close()
            ray.init(address=address, log_to_driver=False)
        else:
            ray.init(include_dashboard=False, log_to_driver=False, ignore_reinit_error=True)
    except (OSError, ValueError, RuntimeError) as error:
        raise TransientError(
            f"Ray at {address or 'this machine'} (RAY_ADDRESS) does not answer: {error}"
        ) from error


def _shingled(part: str, column: str) -> tuple[slices.PartSets, np.ndarray, tuple[int, np.ndarray]]:
    import pyarrow.parquet as pq

    codes = pq.read_table(part, columns=[column])[column].combine_chunks()
    sets = slices.part_sets(codes)
    return sets, slices.counts(sets), (len(sets.offsets) - 1, sets.of_text)


def _link(threshold: float, *shares: slices.Slice) -> np.ndarray:
    return slices.link(shares, threshold)


def _sum(ray: Any, tables: Sequence[Any]) -> np.ndarray:
    """Pairwise on the workers: the driver holds one table."""
    add = ray.remote(lambda *some: slices.add_counts(some))
    left = list(tables)
    while len(left) > 1:
        left = [add.remote(*left[k : k + 8]) for k in range(0, len(left), 8)]
    return ray.get(left[0])


def _listed(refs: Any) -> list[Any]:
    return refs if isinstance(refs, list) else [refs]


def by_text(of_text: Sequence[np.ndarray], starts: np.ndarray, roots: np.ndarray) -> list[np.ndarray]:
    """From sets to texts: each text's component is named by its first text."""
    first_text = np.cumsum([0, *(len(part) for part in of_text)])
    total = int(first_text[-1])
    component = np.full(total, -1, np.int64)
    for part, start, first in zip(of_text, starts, first_text, strict=False):
        has = part >= 0
        component[first : first + len(part)][has] = roots[part[has].astype(np.int64) + start]
    lowest = np.full(len(roots) + 1, total, np.int64)
    np.minimum.at(lowest, component, np.arange(total))
    named = np.where(component < 0, np.arange(total), lowest[component])
    return [named[a:b] for a, b in pairwise(first_text)]
