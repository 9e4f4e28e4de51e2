"""`pin`, `unpin`, `versions`: hold a configuration at a version, let it go again, and see which versions there are."""

from __future__ import annotations

import argparse
from pathlib import Path

from ai_stack_assets.cli.terminal import Terminal
from ai_stack_assets.defs.shared import settings
from ai_stack_assets.defs.shared.resources import resources
from ai_stack_assets.domain.common.failures import PermanentError
from ai_stack_assets.domain.onec.configurations import ConfigurationEntry
from ai_stack_assets.domain.onec.pins import kept_version, pinned_source, set_pin
from ai_stack_assets.resources.configurations import ConfigurationsResource
from ai_stack_assets.resources.lake import LakeResource


def pin(options: argparse.Namespace, terminal: Terminal) -> int:
    """Writes the pin (or takes it away) and makes it so, in the lake and in all stores. Returns the exit code."""
    entry = _entry(options.configuration)
    wanted = None if options.command == "unpin" else _wanted(entry, options)
    set_pin(Path(settings.configurations_file()), entry.name, wanted)
    if wanted:
        terminal.say(f"{entry.name} is held at {wanted} until `unpin {entry.name}`")
    else:
        terminal.say(f"{entry.name} follows its source again: {entry.source}")
    if options.later:
        terminal.say("The next run brings the lake and the stores there.")
        return 0
    from ai_stack_assets.cli.main import command_line
    from ai_stack_assets.cli.run import run

    shrink = ["--allow-shrink"] if options.allow_shrink else []
    return run(command_line().parse_args(["run", "--name", entry.name, *shrink]), terminal)


def versions(options: argparse.Namespace, terminal: Terminal) -> int:
    """Prints what the lake keeps: versions that can be pinned, and the days of history."""
    entry, lake = _entry(options.configuration), _lake()
    current = lake.open().current(entry.name)
    for version in lake.open().versions(entry.name):
        source = version.manifest["source"]
        marks = [
            *(["current"] if current and current.id == version.id else []),
            *(["pinned"] if entry.pin and version.id.startswith(entry.pin) else []),
        ]
        commit = source.get("commit") or ""
        where = f"{source['ref']} {commit[:10]}" if source.get("ref") not in (None, commit) else commit[:10]
        rows = f"{version.rows('objects'):>8,} objects {version.rows('methods'):>8,} methods"
        terminal.say(f"{version.id}  {rows}  {where:<32} {' '.join(marks)}".rstrip())
    if current is None:
        terminal.say(f"Nothing yet: run {entry.name} first.")
    if entry.pin:
        terminal.say(f"Held at {entry.pin}.")
    if days := lake.open(f"history/{entry.name}").configurations():
        terminal.say(f"History: {len(days)} states, {days[0]} to {days[-1]}")
    return 0


def _wanted(entry: ConfigurationEntry, options: argparse.Namespace) -> str:
    if options.version:
        if version := kept_version(_lake().open(), entry.name, options.version):
            return version.id
        raise PermanentError(
            f"the lake keeps no single version {options.version!r} of {entry.name}: `versions {entry.name}` lists them;"
            " an older one can be had by its commit or tag, with --ref"
        )
    from ai_stack_assets.domain.onec.sources import parse_source
    from ai_stack_assets.domain.onec.sources_git import Repository

    spec = parse_source(pinned_source(entry.location, options.ref))
    # the commit, so that a branch or tag that is moved moves nothing here
    return Repository(spec, _lake().cache / "sources").resolve(spec.ref)[1]


def _entry(name: str) -> ConfigurationEntry:
    return ConfigurationsResource(file=str(settings.configurations_file())).entry(name)


def _lake() -> LakeResource:
    return (resources().resources or {})["lake"]
