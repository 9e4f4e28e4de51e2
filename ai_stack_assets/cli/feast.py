"""`feast`: the features of a configuration, or of the dataset, as a repository of Feast; registered where Feast is installed."""

from __future__ import annotations

import argparse
import shutil
from datetime import UTC, datetime
from pathlib import Path

from ai_stack_assets.cli.terminal import Terminal
from ai_stack_assets.defs.shared.resources import resources
from ai_stack_assets.domain.common.failures import PermanentError
from ai_stack_assets.domain.training.features import feast as repository
from ai_stack_assets.domain.training.features.sources import DATASET
from ai_stack_assets.resources.lake import LakeResource


def feast(options: argparse.Namespace, terminal: Terminal) -> int:
    """Writes the repository, and has Feast apply it when there is one. Returns the exit code."""
    name, folder = options.configuration or DATASET, Path(options.folder)
    lake: LakeResource = (resources().resources or {})["lake"]
    features = lake.open("training/features")
    version = features.current(name)
    if version is None:
        known = ", ".join(features.configurations()) or "none yet: python -m ai_stack_assets train"
        raise PermanentError(f"there are no features of {name!r}; features: {known}")
    rows = repository.export(version, folder, known_since=_published(version.path))
    terminal.say(f"{rows:,} rows of {name}, version {version.id}: {folder}")
    if command := options.command_of_feast or shutil.which("feast"):
        terminal.say(repository.apply(folder, command).strip())
    else:
        terminal.say(f"Feast is not installed here. Where it is: cd {folder} && feast apply")
    return 0


def _published(folder: Path) -> datetime:
    """When the version became the current one: what is known of rows without a time of their own."""
    return datetime.fromtimestamp(folder.stat().st_mtime, UTC)
