"""A full disk under an embedded store, told as such: engines say it in many ways, or say something else."""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Generator
from pathlib import Path

from ai_stack_assets.domain.common.failures import PermanentError, TransientError

_FULL_BYTES = 1 << 20


@contextlib.contextmanager
def room(folder: Path) -> Generator[None]:
    """Raises TransientError, which names the folder, for whatever fails inside while its disk is full."""
    try:
        yield
    except TransientError:
        raise
    except (OSError, ValueError, RuntimeError, PermanentError) as error:
        free = shutil.disk_usage(folder).free
        if free > _FULL_BYTES and "no space left" not in str(error).lower():
            raise
        raise TransientError(
            f"no space left in {folder} ({free >> 10} KB free; the data folder is AI_STACK_ASSETS_DATA): {error}"
        ) from error
