"""The environment, read once: the only module that looks at it. Every setting has a default that needs no server."""

from __future__ import annotations

import os
from pathlib import Path

import dagster as dg

PROJECT = Path(__file__).resolve().parents[3]
"""The folder with `configurations.yaml`: sources given as relative paths start here."""


def data_folder() -> Path:
    return Path(os.environ.get("AI_STACK_ASSETS_DATA") or PROJECT / "data").expanduser().absolute()


def configurations_file() -> Path:
    return Path(
        os.environ.get("AI_STACK_ASSETS_CONFIGURATIONS") or PROJECT / "configurations.yaml"
    ).absolute()


def setting(name: str, default: str = "") -> str:
    """A reference that Dagster resolves at run time (the UI shows the name, never the value); the default when unset."""
    return dg.EnvVar(name) if os.environ.get(name) else default
