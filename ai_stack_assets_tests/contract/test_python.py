"""What the oldest Python that is supported cannot do."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[2] / "ai_stack_assets"
_POSSESSIVE_GROUP = re.compile(r"\)[?*+]\+")


@pytest.mark.parametrize(
    "path", sorted(PACKAGE.rglob("*.py")), ids=lambda path: str(path.relative_to(PACKAGE))
)
def test_no_group_is_possessive(path: Path) -> None:
    """`(?:…)*+` is matched wrongly, or for ever, before Python 3.11.5, which Debian 12 has not; `\\s*+` is right."""
    assert not _POSSESSIVE_GROUP.search(path.read_text(encoding="utf-8"))
