"""One door to both readers: the bytes of a file → what it says. Which reader is decided by layout and role
alone."""

from __future__ import annotations

from ai_stack_assets.domain.onec.model import FileFacts


def parse_file(layout: str, role: str, data: bytes) -> FileFacts:
    """What one file says. Depends on nothing but the arguments.

    Args:
        layout: `designer` or `edt`.
        role: as `layout.list_files` gives it, `module` excepted: code is read in `domain.bsl`.
        data: the bytes of the file.

    Raises:
        Rejection: it cannot be read; the reason says why.
    """
    if layout == "edt":
        from ai_stack_assets.domain.onec.edt import read
    else:
        from ai_stack_assets.domain.onec.designer import read
    return read(role, data)
