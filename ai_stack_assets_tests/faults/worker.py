"""One synchronisation in a process of its own, to be killed: says `ready`, waits for a line, works, says `done`.

python -m ai_stack_assets_tests.faults.worker SUBJECT-JSON VERSION
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from ai_stack_assets.domain.common.lake import Version
from ai_stack_assets_tests.faults.stores import Subject

PROJECT = Path(__file__).parents[2]


class Worker:
    """The process as its starter sees it."""

    def __init__(self, subject: Subject, version: Version) -> None:
        command = [sys.executable, "-m", __name__, json.dumps(subject.to_json()), version.id]
        pipe = subprocess.PIPE
        self.process = subprocess.Popen(command, cwd=PROJECT, stdin=pipe, stdout=pipe, stderr=pipe, text=True)
        self._expect("ready")

    def go(self) -> None:
        assert self.process.stdin
        self.process.stdin.write("\n")
        self.process.stdin.flush()

    def kill(self) -> bool:
        """Whether it was still at work."""
        self.process.kill()
        said, _ = self.process.communicate(timeout=60)
        return "done" not in said

    def finish(self) -> str:
        """What it said at the end, errors too."""
        said, errors = self.process.communicate("\n" if self.process.stdin else None, timeout=300)
        return said + errors

    def _expect(self, word: str) -> None:
        assert self.process.stdout
        if (line := self.process.stdout.readline().strip()) != word:
            raise RuntimeError(f"{line}\n{self.process.communicate(timeout=60)[1]}")


def main(text: str, version_id: str) -> None:
    subject = Subject(**json.loads(text))
    version = Version(subject.configuration, subject.lake.folder(subject.configuration) / version_id)
    print("ready", flush=True)
    sys.stdin.readline()
    report = subject.sync(version)
    left = sum(len(d.added) + len(d.changed) + len(d.removed) for d in report.differences)
    written = {what: report.total(what) for what in ("added", "changed", "removed")}
    print("done", json.dumps({**written, "left": left}), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
