"""A full disk under an embedded store, told as such: engines say it in many ways, or say something else. A folder that is
none, or that may not be used, too."""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Generator
from pathlib import Path

from ai_stack_assets.domain.common.failures import PermanentError, TransientError

_FULL_BYTES = 1 << 20


@contextlib.contextmanager
def room(folder: Path) -> Generator[None]:
    """Raises TransientError, which names the folder, for whatever fails inside while its disk is full; PermanentError when
    something else stands in the folder's place."""
    try:
        yield
    except TransientError:
        raise
    except (FileExistsError, NotADirectoryError, PermissionError) as error:
        raise PermanentError(
            f"{folder} cannot be used ({error}): check AI_STACK_ASSETS_DATA, or the rights on that folder"
        ) from error
    except (OSError, ValueError, RuntimeError, PermanentError) as error:
        free = shutil.disk_usage(folder).free
        if free > _FULL_BYTES and "no space left" not in str(error).lower():
            raise
        raise TransientError(
            f"no space left in {folder} ({free >> 10} KB free; the data folder is AI_STACK_ASSETS_DATA): {error}"
        ) from error
