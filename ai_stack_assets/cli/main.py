"""The commands behind `make run` and `make dev`: arguments, and what is said when a command fails.

Imports nothing heavy, so that the process which steps are forked from starts beside this one, not after it.
"""

from __future__ import annotations

import argparse
import importlib
import os
import signal
import sys
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ai_stack_assets.defs.shared import settings
from ai_stack_assets.domain.training.tasks import NAMES

if TYPE_CHECKING:
    from ai_stack_assets.cli.terminal import Terminal

_ELSEWHERE = {
    "unpin": ("pin", "pin"),
    "versions": ("pin", "versions"),
    "models": ("train", "models"),
    "rollback": ("train", "rollback"),
}
"""Commands that share a module with another one → module, function."""
STORES = ("postgres", "graph", "vectors", "search")


def main(arguments: list[str] | None = None) -> int:
    """Returns the exit code: 0 done, 1 something failed, 130 interrupted."""
    parser = command_line()
    options, rest = parser.parse_known_args(arguments)
    if rest and options.command != "dev":
        parser.error(f"unknown: {' '.join(rest)}")
    try:
        home = settings.enter_instance()
    except OSError as error:
        print(f"Failed: {error} (settings AI_STACK_ASSETS_DATA and DAGSTER_HOME)", file=sys.stderr)
        return 1
    if options.command == "home":
        print(home)
        return 0
    if options.command == "dev":
        os.chdir(settings.PROJECT)
        dg = Path(sys.executable).with_name("dg")
        os.execv(dg, [str(dg), "dev", *rest])
    return _run(options)


def _run(options: argparse.Namespace) -> int:
    from ai_stack_assets.cli import interrupts
    from ai_stack_assets.cli.terminal import Terminal

    interrupts.watch()
    with Terminal(settings.data_folder() / "logs") as terminal:
        if options.command in ("run", "dataset", "train"):
            _start_forkserver()
        try:
            return _command(options.command)(options, terminal)
        except KeyboardInterrupt:
            terminal.say("\nInterrupted. What was finished is kept; the next run goes on from there.")
            return 130
        except Exception as error:
            if options.verbose:
                terminal.say(traceback.format_exc())
            terminal.say(f"\nFailed: {error}\nDetails: {terminal.log}")
            return 1


def _command(name: str) -> Callable[[argparse.Namespace, Terminal], int]:
    """The function of that name, in the module of that name."""
    module, function = _ELSEWHERE.get(name, (name, name))
    return getattr(importlib.import_module(f"ai_stack_assets.cli.{module}"), function)


def _start_forkserver() -> None:
    """The process that steps are forked from imports what this one does: beside it, not after it (3 s)."""
    from multiprocessing import forkserver

    # the list that the executor will ask for; a server that runs is used as it is
    forkserver.set_forkserver_preload(["dagster._core.executor.multiprocess", "ai_stack_assets.preload"])
    # Ctrl-C reaches the whole group; steps are ended by the process that started them
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    forkserver.ensure_running()
    signal.signal(signal.SIGINT, before)


def command_line() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("ai_stack_assets", description="1C configurations as data for AI")
    commands = parser.add_subparsers(dest="command", required=True)
    run = commands.add_parser("run", help="read a configuration and bring all stores up to date")
    run.add_argument(
        "source", nargs="?", help="folder, git URL[@ref] or .zip; default: the sample configuration"
    )
    run.add_argument("--name", help="what to call it; default: from the source")
    run.add_argument("--allow-shrink", action="store_true", help="yes to stores that lose most of their rows")
    run.add_argument(
        "--rebuild",
        action="append",
        default=[],
        choices=STORES,
        metavar="STORE",
        help=f"write this store anew from the lake: {', '.join(STORES)}; may be given again",
    )
    run.add_argument("--verbose", action="store_true", help="show tracebacks")
    ask = commands.add_parser(
        "query", help="ask a store: what it holds, who calls, what is similar, where is it"
    )
    ask.add_argument("question", choices=("tables", "callers", "similar", "search", "find"))
    ask.add_argument("configuration")
    ask.add_argument("text", nargs="?", help="a text, or for callers the id of a method")
    ask.add_argument("--verbose", action="store_true", help="show tracebacks")
    past = commands.add_parser(
        "history", help="what a configuration was, day by day, from its git repository"
    )
    past.add_argument("configuration")
    past.add_argument(
        "--from", dest="first", metavar="DATE", help="2020, 2020-01 or 2020-01-16; default: first commit"
    )
    past.add_argument("--to", dest="last", metavar="DATE", help="the same, inclusive; default: last commit")
    hold = commands.add_parser(
        "pin", help="hold a configuration at a version, in the lake and all stores (rollback)"
    )
    which = hold.add_mutually_exclusive_group(required=True)
    which.add_argument("--version", help="one that the lake keeps, see `versions`")
    which.add_argument("--ref", help="tag, commit or branch of its git source, as it is now")
    free = commands.add_parser("unpin", help="let a configuration follow its source again")
    for command in (hold, free):
        command.add_argument("configuration")
        command.add_argument("--later", action="store_true", help="only write it down; the next run does it")
        command.add_argument(
            "--allow-shrink", action="store_true", help="yes to stores that lose most of their rows"
        )
    kept = commands.add_parser("versions", help="what the lake keeps of a configuration")
    kept.add_argument("configuration")
    for command in (past, hold, free, kept):
        command.add_argument("--verbose", action="store_true", help="show tracebacks")
    week = commands.add_parser("dataset", help="build and publish the BSL dataset of a week (dataset.yaml)")
    week.add_argument("--week", metavar="SUNDAY", help="2026-11-15; default: the newest that is over")
    week.add_argument(
        "--read-again", action="store_true", help="read the sources of a past week as they are now"
    )
    week.add_argument("--verbose", action="store_true", help="show tracebacks")
    _training(commands)
    check = commands.add_parser(
        "doctor", help="is every store reachable, supported, writable, current? Exit code 1 when one is not"
    )
    check.add_argument("--verbose", action="store_true", help="show tracebacks")
    commands.add_parser("home", help="prepare the Dagster instance and print its folder")
    commands.add_parser("dev", help="open the web interface; further options go to `dg dev`")
    return parser


def _training(commands: Any) -> None:
    fit = commands.add_parser(
        "train", help="train models on the dataset of a week, as far as its drift asks for it"
    )
    fit.add_argument("--week", metavar="SUNDAY", help="2026-11-15; default: the newest that has a dataset")
    fit.add_argument(
        "--task",
        action="append",
        default=[],
        choices=NAMES,
        help="only this model, drift or not; may be given again",
    )
    fit.add_argument("--force", action="store_true", help="train whatever the drift says")
    fit.add_argument(
        "--search", action="store_true", help="search for better parameters first (training.yaml: search)"
    )
    shown = commands.add_parser("models", help="which models are in use, and what was decided about them")
    back = commands.add_parser("rollback", help="put the model that was in use before back into use")
    back.add_argument("task", choices=NAMES)
    back.add_argument("--reason", default="", help="kept with the decision")
    export = commands.add_parser("feast", help="write features as a repository of Feast, and apply it")
    export.add_argument("folder", help="of the repository; made when it is not there")
    export.add_argument("--configuration", metavar="NAME", help="default: the features of the dataset")
    export.add_argument(
        "--command",
        dest="command_of_feast",
        metavar="FILE",
        help="feast of another environment; default: on the path",
    )
    for command in (fit, shown, back, export):
        command.add_argument("--verbose", action="store_true", help="show tracebacks")
