"""The methods of one repository at one commit, as records: which files, whose module each is, under which licence."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import msgspec

from ai_stack_assets.domain.common.failures import TransientError
from ai_stack_assets.domain.dataset.records import GITHUB
from ai_stack_assets.domain.dataset.sources import licences
from ai_stack_assets.domain.dataset.sources.bsl_methods import FileFacts, module_place, records
from ai_stack_assets.domain.dataset.sources.github_git import Entry, Mirror, TooLarge
from ai_stack_assets.domain.dataset.sources.github_parsing import Parsing
from ai_stack_assets.domain.dataset.sources.github_settings import GithubSettings, said_of
from ai_stack_assets.domain.dataset.sources.harvest import Report
from ai_stack_assets.domain.onec.git_commands import read_blobs
from ai_stack_assets.domain.onec.sources_tree import is_safe

_LARGEST_LICENCE = 1 << 20
_MOST_LICENCES = 200
_LINK, _SUBMODULE = "120000", "160000"
_HIDDEN = re.compile(r"\.[^.]")
_CONFIGURATION = re.compile(
    r"(?:(?P<designer>.*)/)?Configuration\.xml$|(?:(?P<edt>.*)/)?Configuration/Configuration\.mdo$"
)
_CONFIGURATION_NAME = re.compile(rb"<[Nn]ame>([^<]+)</[Nn]ame>")


class Repository(msgspec.Struct, frozen=True):
    """What is read: a commit that lies in the cache."""

    name: str
    commit: str
    committed_at: datetime | None
    licence: str
    stars: int
    is_public: bool = False


class Reading:
    """The records of one repository."""

    def __init__(
        self, repository: Repository, settings: GithubSettings, folder: Path, report: Report
    ) -> None:
        self.repository, self.settings, self.report = repository, settings, report
        self.mirror = Mirror(folder, repository.name)
        self.own_licence = said_of(repository.name, settings.licences, settings.api_url)
        # a licence file in what is not public does not say that its owner wants it passed on; the user may
        self.may_publish = repository.is_public or bool(self.own_licence)
        self.suffixes = (".bsl", ".os") if settings.with_onescript else (".bsl",)

    def rows(self, parsing: Parsing) -> Iterator[dict[str, Any]]:
        try:
            modules, texts, configurations = self._choose()
        except TooLarge as error:
            self.report.reject(self.repository.name, "too_large", str(error))
            return
        folders = self._licences(texts)
        names = {_root(path): _configuration_name(data or b"") for path, data in self._read(configurations)}
        # by position: one content may lie at several paths
        facts_of = parsing.facts(self.mirror.folder, [entry.blob for entry in modules])
        for entry, (_, facts) in zip(modules, facts_of, strict=True):
            if facts is None:
                self._reject(entry, "missing_blob", "the repository lacks the file's content")
            elif facts.status in ("rejected", "protected"):
                self._reject(entry, facts.status, facts.problem or "compiled, without source")
            else:
                self._count(facts)
                place = self._place(entry.path, licences.nearest(entry.path, folders, licences.UNKNOWN))
                yield from records(facts, **place, configuration=licences.nearest(entry.path, names, ""))

    def _place(self, path: str, licence: str) -> dict[str, Any]:
        """What all records of a file share."""
        module = module_place(path)
        return {
            "source": GITHUB,
            "repository": self.repository.name,
            "commit": self.repository.commit,
            "path": path,
            "licence": licence,
            "is_publishable": self.may_publish
            and licences.is_allowed(licence, self.settings.allowed_licences),
            "stars": self.repository.stars,
            "changed_at": self.repository.committed_at,
            "object": module.object,
            "module_type": module.module_type,
        }

    def _licences(self, texts: list[Entry]) -> dict[str, str]:
        """Licence of each folder that states one; what the user says holds everywhere, what GitHub says at the top."""
        if self.own_licence:
            return {"": self.own_licence}
        found = licences.by_folder(
            {path: data.decode("utf-8", "replace") for path, data in self._read(texts) if data}
        )
        return (
            found if self.repository.licence == licences.UNKNOWN else {**found, "": self.repository.licence}
        )

    def _count(self, facts: FileFacts) -> None:
        self.report.counts["files"] += 1
        self.report.counts["files_with_problems"] += bool(facts.problem)
        self.report.counts["files_without_methods"] += not facts.methods

    def _choose(self) -> tuple[list[Entry], list[Entry], list[Entry]]:
        """Modules, licence texts and configurations' own files; reports what looks like a module and is not read."""
        if not self.mirror.has(self.repository.commit):
            raise TransientError(
                f"{self.repository.name}: commit {self.repository.commit[:10]} is not in the cache any more: look again"
            )
        modules, texts, configurations = [], [], []
        for entry in self.mirror.entries(self.repository.commit):
            if entry.path.lower().endswith(self.suffixes):
                if any(_HIDDEN.match(part) for part in entry.path.split("/")[:-1]):
                    self.report.counts["files_in_hidden_folders"] += 1
                elif problem := self._problem(entry):
                    self._reject(entry, *problem)
                else:
                    modules.append(entry)
            elif entry.mode in (_LINK, _SUBMODULE) or entry.size > _LARGEST_LICENCE:
                continue
            elif licences.FILE_NAME.match(entry.path.rpartition("/")[2]) and len(texts) < _MOST_LICENCES:
                texts.append(entry)
            elif _CONFIGURATION.match(entry.path):
                configurations.append(entry)
        return modules, texts, configurations

    def _problem(self, entry: Entry) -> tuple[str, str] | None:
        if entry.mode == _SUBMODULE:
            return "submodule", "another repository: name it by itself"
        if entry.mode == _LINK:
            return "link", "a symbolic link is not followed"
        if not is_safe(entry.path.replace("\\", "")):
            return "unsafe_path", "the path leads out of the repository"
        if entry.size > self.settings.max_file_bytes:
            return "too_large", f"{entry.size} bytes, see max_file_bytes"
        return None

    def _read(self, entries: list[Entry]) -> Iterator[tuple[str, bytes | None]]:
        return (
            read_blobs(self.mirror.folder, {entry.path: entry.blob for entry in entries})
            if entries
            else iter(())
        )

    def _reject(self, entry: Entry, reason: str, detail: str) -> None:
        self.report.reject(f"{self.repository.name}:{entry.path}", reason, detail)


def _root(path: str) -> str:
    match = _CONFIGURATION.match(path)
    return (match and (match["designer"] or match["edt"])) or ""


def _configuration_name(data: bytes) -> str:
    found = _CONFIGURATION_NAME.search(data)
    return found[1].decode("utf-8", "replace") if found else ""
