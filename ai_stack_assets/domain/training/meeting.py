"""Where the workers of a fit meet: an actor of Ray that averages what they bring, and keeps what the first of them made.

Sums are made in the order of the ranks: whoever comes first, the result is the same to the last bit.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np


class Meeting:
    """Calls of one round wait for each other. A worker that dies leaves the others waiting: Ray Train then ends them all."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._brought: dict[int, Any] = {}
        self._round: asyncio.Future[Any] | None = None
        self._lines: list[str] = []
        self._files: dict[str, bytes] = {}

    async def mean(self, rank: int, array: np.ndarray) -> np.ndarray:
        def averaged(arrays: list[np.ndarray]) -> np.ndarray:
            import numpy as np

            total = np.zeros(arrays[0].shape, np.float64)
            for each in arrays:
                total += each
            return (total / len(arrays)).astype(arrays[0].dtype)

        return await self._together(rank, array, averaged)

    async def gather(self, rank: int, item: Any) -> list[Any]:
        """What all of them brought, by rank."""
        return await self._together(rank, item, list)

    async def say(self, line: str) -> None:
        self._lines.append(line)

    async def lines(self, after: int) -> list[str]:
        return self._lines[after:]

    async def keep(self, files: dict[str, bytes]) -> None:
        self._files = files

    async def files(self) -> dict[str, bytes]:
        return self._files

    async def _together(self, rank: int, item: Any, made: Any) -> Any:
        if self._round is None:
            self._round = asyncio.get_running_loop().create_future()
        now = self._round
        self._brought[rank] = item
        if len(self._brought) == self._size:
            brought, self._brought, self._round = self._brought, {}, None
            now.set_result(made([brought[r] for r in range(self._size)]))
        return await now
