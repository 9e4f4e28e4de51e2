"""Files that are replaced whole: written beside, then put in place by one rename. Readers see the old one or the new."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Generator
from pathlib import Path


@contextlib.contextmanager
def beside(file: Path) -> Generator[Path]:
    """A place to write the new content to; it becomes `file` if something was written and nothing went wrong, else it is removed.

    The folder must exist. Each process has a place of its own; hidden, as it is no file for anybody else.
    """
    draft = file.with_name(f".{file.name}.{os.getpid()}")
    try:
        yield draft
        with contextlib.suppress(FileNotFoundError):  # nothing was written: what is there stays
            draft.replace(file)
    finally:
        draft.unlink(missing_ok=True)


def replace(file: Path, data: bytes) -> None:
    """Raises OSError; `file` is then as it was."""
    with beside(file) as draft:
        draft.write_bytes(data)
