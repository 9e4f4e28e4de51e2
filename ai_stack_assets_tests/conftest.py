"""Fixtures that more than one folder of tests uses."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest


@pytest.fixture
def platform(tmp_path: Path) -> Iterator[object]:
    """The platform on a temporary folder, with the sample as configuration `demo`."""
    import dagster as dg

    from ai_stack_assets_tests.platform import SAMPLE, Platform

    with dg.DagsterInstance.ephemeral() as instance:
        platform = Platform(tmp_path, instance)
        platform.configure(demo=SAMPLE)
        yield platform
