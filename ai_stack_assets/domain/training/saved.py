"""Files of a saved model, read so that damage is told by the file's name. What is in them is the models' own business."""

from __future__ import annotations

import io
import zipfile
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from ai_stack_assets.domain.common.failures import PermanentError

if TYPE_CHECKING:
    import numpy as np


def read_facts(file: Path, wanted: str) -> dict[str, Any]:
    """JSON of a saved model. Raises PermanentError when it is damaged or of another format."""
    try:
        facts = msgspec.json.decode(file.read_bytes())
        found = facts["format"]
    except (OSError, msgspec.DecodeError, KeyError, TypeError) as error:
        raise PermanentError(f"{file} is damaged ({error}): fit the model again") from error
    if found != wanted:
        raise PermanentError(f"{file} has format {found}, this code reads {wanted}: fit the model again")
    return facts


def write_arrays(file: Path, arrays: Mapping[str, np.ndarray]) -> None:
    import numpy as np

    np.savez_compressed(file, **arrays)  # ty: ignore[invalid-argument-type]


def read_arrays(file: Path, *names: str) -> dict[str, np.ndarray]:
    """Raises PermanentError when the archive is damaged, or lacks one of these arrays."""
    import numpy as np

    try:
        with np.load(io.BytesIO(file.read_bytes()), allow_pickle=False) as arrays:
            return {**arrays, **{name: arrays[name] for name in names}}
    except (OSError, ValueError, EOFError, KeyError, zipfile.BadZipFile, zlib.error) as error:
        raise PermanentError(f"{file} is damaged ({error}): fit the model again") from error
