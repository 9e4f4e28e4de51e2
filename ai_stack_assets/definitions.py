"""The code location: everything under `defs/`. Nothing is defined here."""

import functools
from pathlib import Path

import dagster as dg


@dg.definitions
@functools.cache
def defs() -> dg.Definitions:
    """Once per process: a step forked from one that has loaded it starts at once."""
    return dg.load_from_defs_folder(path_within_project=Path(__file__).parent)
