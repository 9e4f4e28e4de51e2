"""Fixtures that more than one folder of tests uses."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from ai_stack_assets_tests.platform import Platform


@pytest.fixture
def platform(tmp_path: Path) -> Iterator[Platform]:
    """The platform on a temporary folder, with the sample as configuration `demo`."""
    import dagster as dg

    from ai_stack_assets_tests.platform import SAMPLE, Platform

    with dg.DagsterInstance.ephemeral() as instance:
        platform = Platform(tmp_path, instance)
        platform.configure(demo=SAMPLE)
        yield platform


@pytest.fixture
def source(tmp_path: Path, platform: Platform) -> Path:
    """A copy of the sample that a test may change, as configuration `demo`."""
    from ai_stack_assets_tests.platform import SAMPLE

    copy = tmp_path / "source"
    shutil.copytree(SAMPLE, copy)
    platform.configure(demo=copy)
    return copy
