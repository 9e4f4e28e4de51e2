"""`doctor`: all that a run needs, looked at now: data folder, lake, vectoriser, stores, MLflow. Writes nothing that stays."""

from __future__ import annotations

import argparse
from functools import partial
from pathlib import Path
from typing import Any

import dagster as dg

from ai_stack_assets.cli.main import STORES
from ai_stack_assets.cli.terminal import Terminal
from ai_stack_assets.defs.shared import settings
from ai_stack_assets.defs.shared.resources import resources
from ai_stack_assets.domain.stores import places
from ai_stack_assets.domain.stores.doctor import Diagnosis, Look, examine


def doctor(_: argparse.Namespace, terminal: Terminal) -> int:
    """Says for each what was found, or what is wrong and which setting to change. Returns the exit code."""
    with dg.build_resources(resources().resources or {}) as opened:
        looks = [data_folder(settings.data_folder()), *opened.lake.looks(), vectoriser(opened.vectorisers)]
        stores = [getattr(opened, name).look() for name in STORES]
        diagnoses = examine([*looks, *stores, *opened.mlflow.looks()])
    for diagnosis in diagnoses:
        _show(terminal, diagnosis)
    ill = [diagnosis.name for diagnosis in diagnoses if not diagnosis.is_healthy]
    terminal.say(f"\nWrong: {', '.join(ill)}" if ill else "\nAll is well.")
    return 1 if ill else 0


def data_folder(folder: Path) -> Look:
    run = partial(places.look_at_folder, folder)
    return Look("data folder", places.SETTING, run, places.FOLDER_STEPS)


def vectoriser(resource: Any) -> Look:
    run = partial(places.look_at_vectoriser, resource.open)
    return Look("vectoriser", "VECTORISER_URL, VECTORISER_API_KEY", run, places.VECTORISER_STEPS)


def _show(terminal: Terminal, diagnosis: Diagnosis) -> None:
    terminal.say(diagnosis.name)
    for finding in diagnosis.findings:
        terminal.say(f"  {'ok   ' if finding.is_good else 'WRONG'} {finding.step:<12} {finding.said}")
