"""What the site of these tests reads: the sample with a past in git."""

from __future__ import annotations

import shutil
from pathlib import Path

from ai_stack_assets_tests.domain.onec.git_history import Repository
from ai_stack_assets_tests.platform import SAMPLE

PAST = ("2020-01", "2020-02", "2020-03")
"""Months: two states in the first, none in the second, one in the third."""


def sample_with_a_past(folder: Path) -> Path:
    """The sample as it is, after two states with fewer files."""
    repository = Repository(folder)
    for day, left_out in (("01-10", ("CommonModules", "Reports")), ("01-20", ("Reports",)), ("03-05", ())):
        shutil.copytree(SAMPLE, folder, dirs_exist_ok=True)
        for name in left_out:
            shutil.rmtree(folder / name, ignore_errors=True)
        repository.commit(f"2020-{day}")
    return folder
