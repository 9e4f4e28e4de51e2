"""The step of `step`, by torch on a GPU: the same loss, the same lazy Adam, the same numbers but for the order of sums.

Only `devices` imports it: torch is an optional extra. The arrays stay on the device from step to step; whoever asks for them gets
them as NumPy's, so a checkpoint written by one engine is gone on with by the other, and a model file never knows.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch.nn import functional

from ai_stack_assets.domain.training.embeddings import step as by_numpy
from ai_stack_assets.domain.training.embeddings.two_tower import Weights

if TYPE_CHECKING:
    import scipy.sparse as sp

    from ai_stack_assets.domain.training.distributed import Group

PARTS = ("terms", "fields")


class Adam:
    """`step.Adam`, its arrays in the memory of a device (`cuda`; on `cpu`, for tests, in the arrays that it took)."""

    def __init__(self, taken: by_numpy.Adam, device: str) -> None:
        self.steps, self._device = taken.steps, device
        self._weights, self._first, self._second = (
            {part: self._there(getattr(each, part)) for part in PARTS}
            for each in (taken.weights, taken.first, taken.second)
        )

    @property
    def weights(self) -> Weights:
        return _here(self._weights)

    @property
    def first(self) -> Weights:
        return _here(self._first)

    @property
    def second(self) -> Weights:
        return _here(self._second)

    def step(self, batch: by_numpy.Batch, temperature: float, rate: float, field_rate: float) -> float:
        """Returns the loss before the step."""
        active = np.unique(np.concatenate([bag.indices for bag in batch.bags]))
        place = self._there(active)
        terms = self._weights["terms"][place].requires_grad_()
        fields = self._weights["fields"][:, place].requires_grad_()
        bags = [self._bag(by_numpy.narrowed(bag, active)) for bag in batch.bags]
        scores = _vectors(bags[:1], fields[:1], terms) @ _vectors(bags[1:], fields[1:], terms).T / temperature
        loss = _both_ways(scores, self._there(batch.labels))
        loss.backward()
        self.steps += 1
        self._move("terms", place, terms.grad, rate)
        self._move("fields", (slice(None), place), fields.grad, field_rate)
        return loss.item()

    def average(self, group: Group) -> None:
        """See `step.Adam`."""
        if group.size == 1:
            return
        for each in (self._weights, self._first, self._second):
            for part in PARTS:
                # a copy: what Ray hands out is read-only
                each[part][:] = torch.tensor(group.mean(each[part].cpu().numpy()))

    def _move(self, part: str, place: object, gradient: torch.Tensor, rate: float) -> None:
        weights, first, second = (each[part] for each in (self._weights, self._first, self._second))
        mean = first[place] = by_numpy.BETA1 * first[place] + (1 - by_numpy.BETA1) * gradient
        square = second[place] = by_numpy.BETA2 * second[place] + (1 - by_numpy.BETA2) * gradient**2
        weights[place] -= float(rate * by_numpy.bias(self.steps)) * mean / (square.sqrt() + by_numpy.EPSILON)

    def _bag(self, bag: sp.csr_matrix) -> tuple[torch.Tensor, ...]:
        """Its terms, where each row of them begins and ends, and their weights."""
        return tuple(map(self._there, (bag.indices.astype(np.int64), bag.indptr.astype(np.int64), bag.data)))

    def _there(self, array: np.ndarray) -> torch.Tensor:
        return torch.from_numpy(array).to(self._device)


def _here(parts: dict[str, torch.Tensor]) -> Weights:
    return Weights(**{part: each.cpu().numpy() for part, each in parts.items()})


def _vectors(
    bags: Sequence[tuple[torch.Tensor, ...]], fields: torch.Tensor, terms: torch.Tensor
) -> torch.Tensor:
    """Float [rows, size], of length 1 each; a row of zeros stays one."""
    vectors = sum(
        functional.embedding_bag(
            indices,
            terms,
            bounds,
            mode="sum",
            per_sample_weights=data * weight[indices],
            include_last_offset=True,
        )
        for (indices, bounds, data), weight in zip(bags, fields, strict=True)
    )
    lengths = vectors.norm(dim=1, keepdim=True)
    return vectors / torch.where(lengths == 0, 1, lengths)


def _both_ways(scores: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
    """Mean cross-entropy of both directions with the diagonal as the truth; what answers the same is no wrong answer."""
    truth = torch.arange(len(labels), device=labels.device)
    same = (labels[:, None] == labels) & (truth[:, None] != truth)
    scores = scores.masked_fill(same, -torch.inf)
    return (functional.cross_entropy(scores, truth) + functional.cross_entropy(scores.T, truth)) / 2
