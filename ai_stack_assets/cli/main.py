"""The commands behind `make run` and `make dev`: arguments, and what is said when a command fails.

Imports nothing heavy, so that the process which steps are forked from starts beside this one, not after it.
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
import traceback
from pathlib import Path

from ai_stack_assets.defs.shared import settings


def main(arguments: list[str] | None = None) -> int:
    """Returns the exit code: 0 done, 1 something failed, 130 interrupted."""
    parser = _parser()
    options, rest = parser.parse_known_args(arguments)
    if rest and options.command != "dev":
        parser.error(f"unknown: {' '.join(rest)}")
    home = settings.enter_instance()
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
        if options.command == "run":
            _start_forkserver()
        try:
            if options.command == "query":
                from ai_stack_assets.cli.query import query

                return query(options, terminal)
            from ai_stack_assets.cli.run import run

            return run(options, terminal)
        except KeyboardInterrupt:
            terminal.say("\nInterrupted. What was finished is kept; the next run goes on from there.")
            return 130
        except Exception as error:
            if options.verbose:
                terminal.say(traceback.format_exc())
            terminal.say(f"\nFailed: {error}\nDetails: {terminal.log}")
            return 1


def _start_forkserver() -> None:
    """The process that steps are forked from imports what this one does: beside it, not after it (3 s)."""
    from multiprocessing import forkserver

    # the list that the executor will ask for; a server that runs is used as it is
    forkserver.set_forkserver_preload(["dagster._core.executor.multiprocess", "ai_stack_assets.preload"])
    # Ctrl-C reaches the whole group; steps are ended by the process that started them
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    forkserver.ensure_running()
    signal.signal(signal.SIGINT, before)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("ai_stack_assets", description="1C configurations as data for AI")
    commands = parser.add_subparsers(dest="command", required=True)
    run = commands.add_parser("run", help="read a configuration and bring all stores up to date")
    run.add_argument(
        "source", nargs="?", help="folder, git URL[@ref] or .zip; default: the sample configuration"
    )
    run.add_argument("--name", help="what to call it; default: from the source")
    run.add_argument("--allow-shrink", action="store_true", help="yes to stores that lose most of their rows")
    run.add_argument("--verbose", action="store_true", help="show tracebacks")
    ask = commands.add_parser(
        "query", help="ask a store: what it holds, who calls, what is similar, where is it"
    )
    ask.add_argument("question", choices=("tables", "callers", "similar", "search"))
    ask.add_argument("configuration")
    ask.add_argument("text", nargs="?", help="a text, or for callers the id of a method")
    ask.add_argument("--verbose", action="store_true", help="show tracebacks")
    commands.add_parser("home", help="prepare the Dagster instance and print its folder")
    commands.add_parser("dev", help="open the web interface; further options go to `dg dev`")
    return parser
