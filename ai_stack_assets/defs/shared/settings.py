"""The environment: the only module that looks at it. Every setting has a default that needs no server.

Imports nothing heavy: the command line reads it before Dagster is loaded.
"""

from __future__ import annotations

import os
from datetime import date
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

PROJECT = Path(__file__).resolve().parents[3]
"""The folder with `configurations.yaml` and `dagster.yaml`: relative sources start here."""

_DATA, _CONFIGURATIONS = "AI_STACK_ASSETS_DATA", "AI_STACK_ASSETS_CONFIGURATIONS"


def text(name: str, default: str = "") -> str:
    return os.environ.get(name) or default


def data_folder() -> Path:
    """Everything that is written lies under it."""
    return Path(text(_DATA) or PROJECT / "data").expanduser().absolute()


def configurations_file() -> Path:
    return Path(text(_CONFIGURATIONS) or PROJECT / "configurations.yaml").expanduser().absolute()


def time_zone() -> str:
    """Where schedules tick and days of history begin and end."""
    zone = text("AI_STACK_ASSETS_TIMEZONE", "Europe/Moscow")
    try:
        return ZoneInfo(zone).key
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise ValueError(
            f"AI_STACK_ASSETS_TIMEZONE is no time zone such as Europe/Moscow: {zone!r}"
        ) from error


def history() -> tuple[str, str, str]:
    """Oldest day that can be asked for, time zone, and what one partition is: `month` or `day`."""
    by = text("AI_STACK_ASSETS_HISTORY_BY", "month")
    if by not in ("month", "day"):
        raise ValueError(f"AI_STACK_ASSETS_HISTORY_BY is month or day, not {by!r}")
    return _day("AI_STACK_ASSETS_HISTORY_FROM", "2019-01-01"), time_zone(), by


def vectoriser() -> str:
    """What turns text into vectors."""
    return text("VECTORISER", "champion")


def dataset_file() -> Path:
    return Path(text("AI_STACK_ASSETS_DATASET") or PROJECT / "dataset.yaml").expanduser().absolute()


def training_file() -> Path:
    return Path(text("AI_STACK_ASSETS_TRAINING") or PROJECT / "training.yaml").expanduser().absolute()


def first_week_of_dataset() -> str:
    """The oldest week of the dataset, a Sunday."""
    return _day("AI_STACK_ASSETS_DATASET_FROM", "2026-01-04")


def enter_instance() -> Path:
    """Make this process and its children use the project's Dagster instance. Returns DAGSTER_HOME.

    Variables that are set come first, then the project's `.env`. A data folder that is set has an instance of
    its own, since history and data belong together.
    """
    if text(_DATA) and not text("DAGSTER_HOME"):
        os.environ["DAGSTER_HOME"] = str(data_folder() / "dagster")
    _load_dotenv(PROJECT / ".env")
    home = Path(os.environ.setdefault("DAGSTER_HOME", str(data_folder() / "dagster")))
    home.mkdir(parents=True, exist_ok=True)
    settings = home / "dagster.yaml"
    if not settings.exists():
        # put in place whole: another process may be doing the same
        link = home / f".dagster-{os.getpid()}.yaml"
        link.symlink_to(PROJECT / "dagster.yaml")
        link.replace(settings)
    return home


def _day(name: str, default: str) -> str:
    day = text(name, default)
    try:
        return date.fromisoformat(day).isoformat()
    except ValueError as error:
        raise ValueError(f"{name} is no day such as {default}: {day!r}") from error


def _load_dotenv(file: Path) -> None:
    if file.exists():
        from dotenv import load_dotenv

        load_dotenv(file)
