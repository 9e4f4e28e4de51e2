"""What takes the steps of a fit: NumPy on the processor (`step`), or torch, an optional extra, on a GPU (`step_torch`).

Without a GPU torch is no choice: on one thread a step of 512 pairs takes NumPy 38 ms of the processor, torch 70.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ai_stack_assets.domain.common.failures import PermanentError

if TYPE_CHECKING:
    from ai_stack_assets.domain.training.embeddings import step_torch
    from ai_stack_assets.domain.training.embeddings.step import Adam

PARAMETER = "device"
CHOICES = ("auto", "cpu", "cuda")
SETTING = "training.yaml: tasks.embeddings.parameters.device"


@dataclass(frozen=True)
class Device:
    """`gpu`: its name, for people; empty for the processor."""

    gpu: str = ""

    def facts(self) -> dict[str, str]:
        return {"device": "cuda", "gpu": self.gpu} if self.gpu else {"device": "cpu"}

    def take(self, adam: Adam) -> Adam | step_torch.Adam:
        """What goes on from there, on this device."""
        if not self.gpu:
            return adam
        from ai_stack_assets.domain.training.embeddings import step_torch

        return step_torch.Adam(adam, "cuda")


def chosen(wanted: str) -> Device:
    """`auto`: the GPU if there are one and torch, else the processor. `cuda`: nothing but a GPU.

    Raises:
        PermanentError: it is none of `CHOICES`; or a GPU is wanted, and torch is not installed or finds none.
    """
    if wanted not in CHOICES:
        raise PermanentError(f"{SETTING} is one of {', '.join(CHOICES)}, not {wanted!r}")
    if wanted == "cpu":
        return Device()
    try:
        return Device(gpu())
    except _NoGpuError as reason:
        if wanted == "auto":
            return Device()
        raise PermanentError(f"{SETTING} is 'cuda', but {reason}; `auto` or `cpu` does without") from reason


class _NoGpuError(Exception):
    """Says why not."""


def gpu() -> str:
    """Name of the GPU that torch would use."""
    try:
        import torch
    except ModuleNotFoundError as error:
        raise _NoGpuError("torch is not installed: install the extra `torch`") from error
    except (ImportError, OSError) as error:
        raise _NoGpuError(f"torch does not load ({error}): install the extra `torch` anew") from error
    if not torch.cuda.is_available():
        raise _NoGpuError("torch finds no GPU (in Kubernetes a pod asks for one: `pod: {gpus: 1}`)")
    return torch.cuda.get_device_name()
