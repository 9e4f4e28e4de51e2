"""One step of training: a batch of questions and documents, the loss, its gradients, and what Adam makes of them.

Softmax over the batch, both ways: each question against all documents of the batch, each document against all questions. Only the
terms of the batch are touched, in the moments too (lazy Adam): a step costs the same whatever the vocabulary. No loop here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ai_stack_assets.domain.training.embeddings.two_tower import Weights, mixed, unit

if TYPE_CHECKING:
    import scipy.sparse as sp

    from ai_stack_assets.domain.training.distributed import Group

BETA1, BETA2, EPSILON = 0.9, 0.999, 1e-8


@dataclass(frozen=True)
class Batch:
    """`bags` of the question, then of each field of the document; `labels` are equal for documents that answer the same."""

    bags: Sequence[sp.csr_matrix]
    labels: np.ndarray


@dataclass
class Adam:
    """Weights on their way. `first`, `second`: moments."""

    weights: Weights
    first: Weights
    second: Weights
    steps: int = 0

    @classmethod
    def of(cls, weights: Weights) -> Adam:
        def zeros() -> Weights:
            return Weights(np.zeros_like(weights.terms), np.zeros_like(weights.fields))

        return cls(weights.copy(), zeros(), zeros())

    def step(self, batch: Batch, temperature: float, rate: float, field_rate: float) -> float:
        """Returns the loss before the step."""
        active = np.unique(np.concatenate([bag.indices for bag in batch.bags]))
        bags = [narrowed(bag, active) for bag in batch.bags]
        terms, fields = self.weights.terms[active], self.weights.fields[:, active]
        loss, terms_gradient, fields_gradient = gradients(bags, batch.labels, terms, fields, temperature)
        self.steps += 1
        self._move("terms", active, terms_gradient, rate)
        self._move("fields", (slice(None), active), fields_gradient, field_rate)
        return loss

    def average(self, group: Group) -> None:
        """The same on all workers of the group: the mean of what each has."""
        for each in (self.weights, self.first, self.second):
            each.terms[:], each.fields[:] = group.mean(each.terms), group.mean(each.fields)

    def _move(self, name: str, place: object, gradient: np.ndarray, rate: float) -> None:
        weights, first, second = (getattr(each, name) for each in (self.weights, self.first, self.second))
        mean = first[place] = BETA1 * first[place] + (1 - BETA1) * gradient
        square = second[place] = BETA2 * second[place] + (1 - BETA2) * gradient**2
        weights[place] -= rate * bias(self.steps) * mean / (np.sqrt(square) + EPSILON)


def bias(steps: int) -> float:
    """What Adam makes up for in its first steps: moments that began at 0."""
    return np.sqrt(1 - BETA2**steps) / (1 - BETA1**steps)


def gradients(
    bags: Sequence[sp.csr_matrix],
    labels: np.ndarray,
    terms: np.ndarray,
    fields: np.ndarray,
    temperature: float,
) -> tuple[float, np.ndarray, np.ndarray]:
    """The loss, and its gradients by `terms` and by `fields`."""
    asked, answers = mixed(bags[:1], fields[:1]), mixed(bags[1:], fields[1:])
    question, question_length = unit(asked @ terms)
    document, document_length = unit(answers @ terms)
    loss, by_score = _softmax(question @ document.T / temperature, labels)
    by_score /= temperature
    by_question = _through_unit(by_score @ document, question, question_length)
    by_document = _through_unit(by_score.T @ question, document, document_length)
    by_terms = asked.T @ by_question + answers.T @ by_document
    by_fields = [
        np.einsum("ij,ij->i", bag.T @ by, terms)
        for bag, by in zip(bags, [by_question, *[by_document] * (len(bags) - 1)], strict=True)
    ]
    return loss, by_terms, np.stack(by_fields)


def _softmax(scores: np.ndarray, labels: np.ndarray) -> tuple[float, np.ndarray]:
    """Mean cross-entropy of both directions with the diagonal as the truth, and its gradient by the scores."""
    same = labels[:, None] == labels[None, :]
    np.fill_diagonal(same, False)
    scores = np.where(same, -np.inf, scores)
    gradient = np.zeros_like(scores)
    loss = 0.0
    for axis in (0, 1):
        share = np.exp(scores - scores.max(axis, keepdims=True))
        share /= share.sum(axis, keepdims=True)
        loss -= float(np.log(np.maximum(np.diag(share), 1e-12)).mean()) / 2
        gradient += share / (2 * len(scores))
    gradient[np.diag_indices_from(gradient)] -= 1 / len(scores)
    return loss, gradient


def _through_unit(gradient: np.ndarray, vectors: np.ndarray, lengths: np.ndarray) -> np.ndarray:
    """Gradient before the scaling to length 1, from the one after it."""
    along = np.einsum("ij,ij->i", gradient, vectors)[:, None]
    return ((gradient - along * vectors) / lengths).astype(np.float32)


def narrowed(bag: sp.csr_matrix, active: np.ndarray) -> sp.csr_matrix:
    """Of these columns alone, in their order."""
    import scipy.sparse as sp

    columns = np.searchsorted(active, bag.indices)
    return sp.csr_matrix((bag.data, columns, bag.indptr), (bag.shape[0], len(active)))
