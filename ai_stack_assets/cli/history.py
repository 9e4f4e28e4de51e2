"""`history`: a range of a configuration's past into the lake, in one run on the instance that the web interface shows."""

from __future__ import annotations

import argparse
import calendar
import re
from datetime import date
from zoneinfo import ZoneInfo

import dagster as dg
from dagster._core.storage.tags import ASSET_PARTITION_RANGE_END_TAG, ASSET_PARTITION_RANGE_START_TAG

from ai_stack_assets.cli.events import Follower
from ai_stack_assets.cli.run import REPOSITORY_TAG, open_instance
from ai_stack_assets.cli.summary import farewell
from ai_stack_assets.cli.terminal import Terminal
from ai_stack_assets.definitions import defs
from ai_stack_assets.defs.shared import settings
from ai_stack_assets.defs.shared.resources import resources
from ai_stack_assets.domain.common.failures import PermanentError
from ai_stack_assets.orchestration import keys
from ai_stack_assets.orchestration.abandoned import PROCESS_TAG, end_abandoned_runs, process_tag
from ai_stack_assets.orchestration.partitions import (
    CONFIGURATION,
    days_of,
    history_key,
    history_periods,
    periods_of,
)

_WHEN = re.compile(r"(\d{4})(?:-(\d{1,2}))?(?:-(\d{1,2}))?$")


def history(options: argparse.Namespace, terminal: Terminal) -> int:
    """One line per day that changed something. Returns the exit code."""
    name = options.configuration
    with open_instance() as instance:
        end_abandoned_runs(instance)
        first, last = _range(options)
        instance.add_dynamic_partitions(CONFIGURATION, [name])
        terminal.say(f"{name}: history of {first} to {last}")
        process = process_tag()
        tags = {
            ASSET_PARTITION_RANGE_START_TAG: history_key(name, first),
            ASSET_PARTITION_RANGE_END_TAG: history_key(name, last),
            PROCESS_TAG: process,
            REPOSITORY_TAG: "__repository__@ai_stack_assets",
        }
        with (
            Follower(instance, (PROCESS_TAG, process), terminal) as facts,
            dg.execute_job(dg.reconstructable(job), instance=instance, tags=tags, raise_on_error=False),
        ):
            pass
    if facts.is_interrupted:
        raise KeyboardInterrupt
    terminal.say(f"\n{name}: {_kept(name)}")
    terminal.say(farewell(terminal))
    return 0 if facts.is_complete else 1


def job() -> dg.JobDefinition:
    return defs().resolve_job_def(keys.HISTORY_JOB)


def _range(options: argparse.Namespace) -> tuple[str, str]:
    """First and last period within what can be asked for; an end that is not given is that of the commits."""
    history = history_periods(*settings.history())
    first = _edge(options.first, 1) if options.first else None
    last = _edge(options.last, 31) if options.last else None
    if first and last and first > last:
        raise PermanentError(f"--from {options.first} is after --to {options.last}")
    commits = _commits(options.configuration)
    first = first or commits[0]
    last = last or max(commits[-1], first)
    known = periods_of(history).get_partition_keys()
    within = [k for k in known if (days := days_of(history, k))[-1] >= first and days[0] <= last]
    if not within:
        raise PermanentError(
            f"nothing from {first} to {last} can be asked for: there is {known[0]} (AI_STACK_ASSETS_HISTORY_FROM) to {known[-1]}"
        )
    return within[0], within[-1]


def _edge(when: str, day: int) -> date:
    """`2020`, `2020-01`, `2020-01-16` → its first day, or with 31 its last."""
    found = _WHEN.match(when)
    try:
        assert found is not None
        year, month = int(found[1]), int(found[2] or (1 if day == 1 else 12))
        return date(year, month, int(found[3] or min(day, calendar.monthrange(year, month)[1])))
    except (AssertionError, ValueError) as error:
        raise PermanentError(f"{when!r} is no date: give 2020, 2020-01 or 2020-01-16") from error


def _kept(name: str) -> str:
    """All that is known of its past by now."""
    days = (resources().resources or {})["lake"].open(f"history/{name}").configurations()
    return (
        f"{len(days)} states, {days[0]} to {days[-1]}"
        if days
        else "no state yet; a day counts when it is over"
    )


def _commits(name: str) -> list[date]:
    """Days that have any."""
    from ai_stack_assets.domain.onec.history.commits import read_log

    opened = resources().resources or {}
    entry = opened["configurations"].entry(name)
    log = read_log(entry.location, opened["lake"].cache / "sources", ZoneInfo(settings.time_zone()))
    return [day for day, _ in log.states]
