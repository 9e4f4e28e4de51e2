"""States of a configuration by their place in its log, each reached from those in memory: only what differs is read."""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Iterator
from concurrent.futures import Executor, ProcessPoolExecutor
from pathlib import Path

from ai_stack_assets.domain.common.failures import PermanentError
from ai_stack_assets.domain.onec.history import summary
from ai_stack_assets.domain.onec.history.commits import Commit, Log
from ai_stack_assets.domain.onec.history.state import State
from ai_stack_assets.domain.onec.history.summary import Read, Summary, Task
from ai_stack_assets.domain.onec.history.tree import GroupKey, TreeReader
from ai_stack_assets.domain.onec.layout import Root

FILES_PER_TASK = 256
"""Contents of so many files are in memory at once in each process."""
INLINE_TASKS = 2
"""Up to so many, starting processes costs more than it saves."""


class StateReader:
    """Keeps the last state read and the one before; processes start when there is work for them, and stay until `close`."""

    def __init__(self, log: Log, path: str | None, cache_file: Path, workers: int | None = None) -> None:
        self.log, self.cache_file, self.workers = log, cache_file, workers or os.cpu_count() or 1
        self.parsed = 0
        """Files that nobody had parsed before, so far."""
        self._trees = TreeReader(log.repository, path)
        self._states: dict[int, State | PermanentError] = {}
        self._executor: Executor | None = None

    def close(self) -> None:
        if self._executor:
            self._executor.shutdown()
            self._executor = None

    def readable_before(self, index: int) -> tuple[Commit, State] | None:
        """The nearest earlier state that is a configuration: a broken one in between is no change of it."""
        for earlier in range(index - 1, -1, -1):
            state = self.state(earlier)
            if isinstance(state, State):
                return self.log.states[earlier][1], state
        return None

    def state(self, index: int) -> State | PermanentError:
        """The state, or why that commit holds no configuration."""
        if index not in self._states:
            try:
                found: State | PermanentError = self._read(self.log.states[index][1])
            except PermanentError as error:
                found = error
            readable = [i for i, state in self._states.items() if isinstance(state, State)][-1:]
            self._states = {i: self._states[i] for i in readable} | {index: found}
        return self._states[index]

    def _read(self, commit: Commit) -> State:
        tree = self._trees.read(commit.id)
        at_hand = {
            key: summary
            for state in self._states.values()
            if isinstance(state, State)
            for key, summary in state.groups.values()
        }
        new = {name: group for name, group in tree.groups.items() if group.key not in at_hand}
        at_hand |= summary.known(new.values(), self.cache_file)
        new = {name: group for name, group in new.items() if group.key not in at_hand}
        fresh = self._fresh(tree.root, new)
        groups = {
            name: (group.key, fresh[name] if name in fresh else at_hand[group.key])
            for name, group in tree.groups.items()
        }
        return State(tree.root, groups, tree.rejected)

    def _fresh(self, root: Root, groups: dict[str, GroupKey]) -> dict[str, Summary]:
        tasks = list(self._tasks(root, groups))
        found: dict[str, Summary] = {}
        for done in self._map(tasks):
            self.parsed += done.parsed
            found |= {name: summary.decode(encoded) for name, encoded in done.summaries.items()}
        return found

    def _map(self, tasks: list[Task]) -> Iterator[Read]:
        if self._executor is None:
            if len(tasks) <= INLINE_TASKS or self.workers == 1:
                return map(summary.read, tasks)
            context = multiprocessing.get_context("forkserver")
            context.set_forkserver_preload([summary.__name__])
            self._executor = ProcessPoolExecutor(self.workers, mp_context=context)
        return self._executor.map(summary.read, tasks)

    def _tasks(self, root: Root, groups: dict[str, GroupKey]) -> Iterator[Task]:
        """Parts of a bounded number of files; of few files, a part for each process that runs."""
        total = sum(len(group.files) for group in groups.values())
        enough = min(FILES_PER_TASK, total / self.workers if self._executor else total)
        part: dict[str, GroupKey] = {}
        files = 0
        for name, group in groups.items():
            part[name] = group
            files += len(group.files)
            if files >= enough:
                yield Task(root, self.log.repository.folder, part, self.cache_file)
                part, files = {}, 0
        if part:
            yield Task(root, self.log.repository.folder, part, self.cache_file)
