"""Which commit was the state of a configuration's branch at the end of each day. Git's log alone; no files are read here.

A day ends at midnight of the given time zone. What counts is the first-parent line of the ref, by the date of the commit (not
of its author): that is when the state came to be there. Dates that run backwards along the line (clocks, rebases) are cut down
to those that follow, so that a later commit never gives way to an earlier one.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, tzinfo
from functools import cached_property
from pathlib import Path

from ai_stack_assets.domain.common.failures import PermanentError
from ai_stack_assets.domain.onec.sources import GIT, SourceSpec, parse_source
from ai_stack_assets.domain.onec.sources_git import FETCH_SECONDS, Repository


@dataclass(frozen=True)
class Commit:
    id: str
    at: datetime
    """When it became the branch's state, UTC."""


@dataclass(frozen=True)
class Log:
    """The past of one ref. `states`: the commit that a day ended with, for each day that had any, oldest first."""

    uri: str
    ref: str
    repository: Repository
    commits: tuple[Commit, ...]
    is_shallow: bool
    zone: tzinfo

    @cached_property
    def states(self) -> list[tuple[date, Commit]]:
        return list({commit.at.astimezone(self.zone).date(): commit for commit in self.commits}.items())

    def index(self, day: date) -> int | None:
        """Which of `states` was in force when the day ended; None before the first commit.

        Raises:
            PermanentError: the repository is a shallow clone, which does not know what was so long ago.
        """
        found = bisect_right(self.states, day, key=lambda state: state[0]) - 1
        if found >= 0:
            return found
        if self.is_shallow:
            raise PermanentError(
                f"{self.uri} is a shallow clone: nothing is known of {day}, before {self.states[0][0]};"
                " run `git fetch --unshallow` in it, or give the repository that it was cloned from"
            )
        return None


def read_log(source: str, workdir: Path, zone: tzinfo) -> Log:
    """The log of a git source. A mirror of a remote one is brought up to date first, with all its history.

    Args:
        source: git URL or repository folder, both with an optional `@ref`.
        workdir: keeps mirrors, as in `sources.fetch`.

    Raises:
        PermanentError: it is no git repository, or has no such ref.
        TransientError: the network is in the way.
    """
    spec = _repository_of(parse_source(source))
    repository = Repository(spec, workdir)
    ref, tip = repository.resolve(spec.ref)
    boundary = repository.folder / "shallow"
    if not repository.is_local and (boundary.exists() or not repository.has(tip)):
        with repository.alone():
            repository.fetch_everything()
    if not repository.has(tip):
        repository.get(tip)
    # times are whole seconds since 1970, whatever zone was written down
    lines = repository.git("log", "--first-parent", "--format=%H %ct", tip, seconds=FETCH_SECONDS)
    is_shallow = repository.git("rev-parse", "--is-shallow-repository").strip() == b"true"
    return Log(spec.uri, ref, repository, _ordered(lines.decode().splitlines()), is_shallow, zone)


def has_history(source: str) -> bool:
    """True for a git source. Looks at the address alone."""
    try:
        return bool(_repository_of(parse_source(source)))
    except PermanentError:
        return False


def _repository_of(spec: SourceSpec) -> SourceSpec:
    """A folder that is the top of a working copy counts as its repository at HEAD."""
    if spec.kind == GIT:
        return spec
    if (Path(spec.location) / ".git").exists():
        return SourceSpec(GIT, spec.location)
    raise PermanentError(
        f"{spec.uri} is no git repository, so nothing is known of its past: history needs a git URL or a"
        " repository's folder as `source` (with `path` when the configuration lies deeper in it)"
    )


def _ordered(newest_first: Sequence[str]) -> tuple[Commit, ...]:
    commits: list[Commit] = []
    latest: int | None = None
    for line in newest_first:
        commit, _, seconds = line.partition(" ")
        latest = int(seconds) if latest is None else min(latest, int(seconds))
        commits.append(Commit(commit, datetime.fromtimestamp(latest, UTC)))
    return tuple(reversed(commits))
