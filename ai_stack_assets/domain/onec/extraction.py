"""From a source to a version in the lake: what changed is read, in parallel; what did not is linked from the last version.

Three levels keep the work small: a file whose size and time did not change is not read; a bucket whose files did not change is
not assembled; a file whose bytes are known from anywhere is not parsed. Peak memory is a few buckets, whatever the size.
"""

from __future__ import annotations

import contextlib
import os
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future, ProcessPoolExecutor
from multiprocessing import forkserver
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from ai_stack_assets.domain.common.clock import PhaseClock
from ai_stack_assets.domain.common.failures import PermanentError, TransientError
from ai_stack_assets.domain.common.lake import Lake
from ai_stack_assets.domain.onec import layout
from ai_stack_assets.domain.onec.buckets import (
    bucket_key,
    link_bucket,
    read_bucket,
)
from ai_stack_assets.domain.onec.draft import Draft
from ai_stack_assets.domain.onec.file_states import FileStates, in_buckets
from ai_stack_assets.domain.onec.report import ExtractionReport
from ai_stack_assets.domain.onec.sources import fetch, parse_source

LOCK_SECONDS = 600
INLINE_BUCKETS = 2
"""Up to so many buckets, starting processes costs more than it saves."""

Progress = Callable[[str], None]


def extract(
    configuration: str,
    source: str,
    lake: Lake,
    cache: Path,
    *,
    path: str | None = None,
    workers: int | None = None,
    progress: Progress = lambda _: None,
) -> ExtractionReport:
    """Read a configuration and publish it as the current version of the lake.

    Args:
        configuration: its name in the lake.
        source: folder, git URL with optional `@ref`, or zip file.
        cache: folder for clones and parsed facts, shared by all configurations.
        path: the configuration's folder when the source holds several.
        workers: processes; default: the number of cores.

    Raises:
        PermanentError: the source is missing, unreadable or no 1C configuration.
        TransientError: the network failed, or another extraction of this configuration does not end.
    """
    clock = PhaseClock()
    if configuration not in lake.configurations():
        # all will have to be read: the processes for it start while the source is fetched and listed
        _processes()
        forkserver.ensure_running()
    with only_one(lake, configuration), fetch(parse_source(source), cache / "sources") as checkout:
        root = choose_root(layout.discover(checkout.folder), path, checkout.folder, source)
        clock.lap("fetch")
        facts = {"uri": checkout.uri, "ref": checkout.ref, "commit": checkout.commit, "path": path}
        facts |= {"layout": root.layout, "kind": root.kind, "name": root.name}
        run = _Run(configuration, root, lake, cache, workers or os.cpu_count() or 1, progress, clock)
        return run.extract(facts)


def choose_root(roots: list[layout.Root], path: str | None, folder: Path, source: str) -> layout.Root:
    """The one configuration that is meant."""
    places = {root.place(folder): root for root in roots}
    if path is not None:
        wanted = Path(path).as_posix().strip("/") or "."
        below = [root for place, root in places.items() if place == wanted or place.startswith(f"{wanted}/")]
        if len(below) == 1:
            return below[0]
        raise PermanentError(
            f"{source}: no single configuration at path {path!r}; there are: {', '.join(sorted(places))}"
        )
    if len(roots) > 1:
        raise PermanentError(
            f"{source} holds several configurations; set `path` to one of: {', '.join(sorted(places))}"
        )
    return roots[0]


class _Run:
    """One extraction: plan, read, link, publish."""

    def __init__(
        self,
        configuration: str,
        root: layout.Root,
        lake: Lake,
        cache: Path,
        workers: int,
        progress: Progress,
        clock: PhaseClock,
    ) -> None:
        self.configuration, self.root, self.lake, self.workers = configuration, root, lake, workers
        self.progress, self.clock = progress, clock
        self.cache_file = cache / "facts.sqlite"
        self.states = FileStates(cache / "file_states", root.path)
        # one that lost files is made anew, whole
        self.previous = lake.intact(configuration)

    def extract(self, source: dict[str, Any]) -> ExtractionReport:
        listed, unsafe = layout.list_files(self.root)
        buckets = in_buckets(self.states.known(listed))
        self.clock.lap("list")
        self.progress(f"{len(listed)} files in {len(buckets)} parts")
        with self.lake.draft(self.configuration) as folder:
            draft = Draft(folder, self.root, self.previous, buckets, unsafe)
            stale = [
                name for name in buckets if not draft.is_known(name, bucket_key(self.root, buckets[name]))
            ]
            with self._executor(len(stale)) as executor:
                read = self._read(executor, draft, stale)
                self.states.remember(read)
                self.clock.lap("read")
                affected = draft.affected_by_symbols()
                self._read(executor, draft, affected, force=True)
                self._link(executor, draft)
            self.clock.lap("link")
            tables, version = draft.publish(self.lake, self.configuration, source)
        self.clock.lap("publish")
        rejected = Counter(version.table("rejected", ["reason"])["reason"].to_pylist())
        return ExtractionReport(
            version, self.previous, tables, draft.file_counts(), dict(rejected), source, self.clock.seconds
        )

    def _read(
        self, executor: Executor, draft: Draft, names: list[str], force: bool = False
    ) -> list[layout.SourceFile]:
        tasks = [draft.task(name, self.cache_file, force) for name in names]
        tasks.sort(key=lambda task: task.size, reverse=True)
        states: list[layout.SourceFile] = []
        for done, result in enumerate(executor.map(read_bucket, tasks), 1):
            draft.add(result)
            states += result.files
            self.progress(f"read {done}/{len(tasks)}")
        return states

    def _link(self, executor: Executor, draft: Draft) -> None:
        tasks = draft.tasks_to_link(self.cache_file)
        if not tasks:
            return
        symbols_file = draft.write_symbols()
        for task, parts in zip(
            tasks, executor.map(link_bucket, tasks, [symbols_file] * len(tasks)), strict=True
        ):
            draft.add_linked(task.bucket, parts)

    def _executor(self, buckets: int) -> Executor:
        if buckets <= INLINE_BUCKETS or self.workers == 1:
            return _Inline()
        return ProcessPoolExecutor(min(self.workers, buckets), mp_context=_processes())


def _processes() -> Any:
    """Forked from a clean server process: no threads of the caller come along, the imports are done once."""
    import multiprocessing

    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(
        ["ai_stack_assets.domain.onec.groups", "ai_stack_assets.domain.onec.linking"]
    )
    return context


class _Inline(Executor):
    """Runs at once, in this process."""

    def submit(self, fn: Callable, /, *args: Any, **kwargs: Any) -> Future:
        future: Future = Future()
        try:
            future.set_result(fn(*args, **kwargs))
        except Exception as error:
            future.set_exception(error)
        return future


@contextlib.contextmanager
def only_one(lake: Lake, configuration: str) -> Iterator[None]:
    """Two extractions of one configuration run one after the other."""
    folder = lake.folder(configuration)
    folder.mkdir(parents=True, exist_ok=True)
    lock = FileLock(folder / ".lock", timeout=LOCK_SECONDS)
    try:
        with lock:
            yield
    except Timeout as timeout:
        raise TransientError(
            f"another extraction of {configuration!r} has been running for {LOCK_SECONDS} s"
        ) from timeout
