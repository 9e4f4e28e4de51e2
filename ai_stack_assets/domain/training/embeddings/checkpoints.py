"""What a killed fit goes on from: weights, moments, the best so far, the state of the dice. One file, whole or not at all."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ai_stack_assets.domain.common.hashing import sha256_hex
from ai_stack_assets.domain.training.contract import Sets
from ai_stack_assets.domain.training.embeddings import devices
from ai_stack_assets.domain.training.embeddings.step import Adam
from ai_stack_assets.domain.training.embeddings.two_tower import Weights

if TYPE_CHECKING:
    from ai_stack_assets.domain.training.embeddings import step_torch

FILE = "state.npz"
FORMAT = "1"


@dataclass
class State:
    """A fit on its way. `since_best`: judgements since the best one."""

    adam: Adam | step_torch.Adam
    best: Weights
    best_score: float
    since_best: int
    random: np.random.Generator

    def judge(self, score: float) -> None:
        """Take note of how the weights of now did."""
        if score > self.best_score:
            self.best, self.best_score, self.since_best = self.adam.weights.copy(), score, 0
        else:
            self.since_best += 1


@dataclass(frozen=True)
class Kept:
    """The checkpoint of one fit; nowhere when `folder` is None."""

    folder: Path | None
    fingerprint: str

    def write(self, state: State) -> None:
        if self.folder is None:
            return
        self.folder.mkdir(parents=True, exist_ok=True)
        draft = self.folder / f".{FILE}.{os.getpid()}"
        said = {
            "fingerprint": self.fingerprint, "steps": state.adam.steps, "best_score": state.best_score,
            "since_best": state.since_best, "random": state.random.bit_generator.state,
        }  # fmt: skip
        parts = {
            "weights": state.adam.weights,
            "first": state.adam.first,
            "second": state.adam.second,
            "best": state.best,
        }
        arrays = {
            f"{name}_{part}": getattr(each, part)
            for name, each in parts.items()
            for part in ("terms", "fields")
        }
        with draft.open("wb") as file:
            np.savez(file, said=np.frombuffer(json.dumps(said).encode(), np.uint8), **arrays)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(self.folder / FILE)

    def read(self, device: devices.Device) -> State | None:
        """On its way on this device. None when there is none, or it is damaged or of another fit: then one begins anew."""
        if self.folder is None:
            return None
        try:
            with np.load(self.folder / FILE, allow_pickle=False) as parts:
                said = json.loads(parts["said"].tobytes())
                found = {
                    name: Weights(parts[f"{name}_terms"], parts[f"{name}_fields"])
                    for name in ("weights", "first", "second", "best")
                }
        except Exception:
            return None
        if said["fingerprint"] != self.fingerprint:
            return None
        random = np.random.default_rng()
        random.bit_generator.state = said["random"]
        adam = Adam(found["weights"], found["first"], found["second"], said["steps"])
        return State(device.take(adam), found["best"], said["best_score"], said["since_best"], random)


def fingerprint(sets: Sets, parameters: Mapping[str, Any], seed: int) -> str:
    """Of what decides a fit; not the device: what one has begun, another may end."""
    rows = [
        sha256_hex("\n".join(table["content_hash"].to_pylist()).encode())
        for table in (sets.train, sets.validation)
    ]
    given = sorted((name, value) for name, value in parameters.items() if name != devices.PARAMETER)
    said = json.dumps([FORMAT, *rows, given, seed], ensure_ascii=False)
    return sha256_hex(said.encode())
