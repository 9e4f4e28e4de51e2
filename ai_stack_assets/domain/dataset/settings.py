"""`dataset.yaml`: what the BSL dataset is made of, how it is cleaned and where it goes. Secrets stay in the environment.

Every key has a default; an unknown or ill-typed one is an error that names it. The sections are the settings of the stages.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from ai_stack_assets.domain.common import yaml_settings
from ai_stack_assets.domain.common.failures import PermanentError
from ai_stack_assets.domain.dataset.quality import QualitySettings
from ai_stack_assets.domain.dataset.sources.github_settings import GithubSettings, opted_out_places
from ai_stack_assets.domain.dataset.sources.its_session import ItsSettings
from ai_stack_assets.domain.dataset.sources.postgres import PostgresSettings

if TYPE_CHECKING:
    from ai_stack_assets.domain.dataset.assignment import SplitRules
    from ai_stack_assets.domain.dataset.dedupe.benchmarks import Benchmarks

LOCAL, RAY = "local", "ray"
_NAME = re.compile(r"[A-Za-z0-9_]([\w.-]*[A-Za-z0-9_])?/[A-Za-z0-9_]([\w.-]*[A-Za-z0-9_])?\Z", re.ASCII)


@dataclass(frozen=True)
class DedupeSettings:
    """How near-duplicates are searched."""

    threshold: float = 0.8
    memory_gb: float = 2
    """For shingle sets and their index; beyond it they go to files."""
    engine: str = LOCAL
    """`local`: this machine's threads. `ray`: a Ray cluster at RAY_ADDRESS, or Ray on this machine."""


@dataclass(frozen=True)
class SplitSettings:
    """Shares of the rows; the rest is for training."""

    validation: float = 0.05
    test: float = 0.05
    decontaminate: tuple[str, ...] = ()
    """Files with code that must not be trained on: `.bsl`, or `.jsonl` with a field `code`; relative to `dataset.yaml`."""

    def rules(self) -> SplitRules:
        from ai_stack_assets.domain.dataset.assignment import SplitRules

        return SplitRules(self.validation, self.test)

    def benchmarks(self) -> Benchmarks | None:
        """Raises PermanentError when a file is missing or has no code."""
        from ai_stack_assets.domain.dataset.dedupe.benchmarks import Benchmarks

        texts = tuple(text for file in self.decontaminate for text in _codes(Path(file)))
        return Benchmarks(texts) if texts else None


@dataclass(frozen=True)
class DatasetSettings:
    """All of `dataset.yaml`."""

    name: str = "local/bsl"
    """`owner/name` of the published dataset."""
    is_private: bool = True
    """Of a repository that the first publication makes on the Hub."""
    postgres: PostgresSettings = field(default_factory=PostgresSettings)
    github: GithubSettings = field(default_factory=GithubSettings)
    its: ItsSettings = field(default_factory=ItsSettings)
    dedupe: DedupeSettings = field(default_factory=DedupeSettings)
    quality: QualitySettings = field(default_factory=QualitySettings)
    """Rules, redaction, and the mean score that the public rows must exceed to be published."""
    splits: SplitSettings = field(default_factory=SplitSettings)


def load(file: Path) -> DatasetSettings:
    """The settings; all defaults when there is no file.

    Raises:
        PermanentError: the file cannot be read; a key in it is unknown, or its value of another type or out of range.
    """
    settings = yaml_settings.read(file, DatasetSettings)
    _check(settings, file)
    decontaminate = tuple(str(file.parent / name) for name in settings.splits.decontaminate)
    return replace(settings, splits=replace(settings.splits, decontaminate=decontaminate))


def _check(settings: DatasetSettings, file: Path) -> None:
    """What types do not say."""
    dedupe, splits = settings.dedupe, settings.splits
    held_out = splits.validation + splits.test
    is_name = _NAME.match(settings.name) and not re.search(r"\.\.|--|\.git$", settings.name)
    rules = (
        (
            is_name,
            f"name is owner/name of letters, digits and single - _ . between them, not {settings.name!r}",
        ),
        (dedupe.engine in (LOCAL, RAY), f"dedupe.engine is {LOCAL} or {RAY}, not {dedupe.engine!r}"),
        (0 < dedupe.threshold <= 1, f"dedupe.threshold is above 0 and at most 1, not {dedupe.threshold}"),
        (dedupe.memory_gb > 0, f"dedupe.memory_gb is above 0, not {dedupe.memory_gb}"),
        (splits.validation >= 0, f"splits.validation is a share from 0, not {splits.validation}"),
        (splits.test >= 0, f"splits.test is a share from 0, not {splits.test}"),
        (held_out < 1, f"splits.validation and splits.test leave nothing to train on: together {held_out}"),
    )
    if wrong := [problem for is_right, problem in rules if not is_right]:
        raise PermanentError(f"{file}: {'; '.join(wrong)}")
    for entry in settings.github.opted_out:
        opted_out_places(entry)


def _codes(file: Path) -> Iterator[str]:
    try:
        text = file.read_text(encoding="utf-8-sig")
        if file.suffix != ".jsonl":
            yield text
            return
        for line in filter(str.strip, text.splitlines()):
            yield msgspec.json.decode(line, type=dict[str, Any])["code"]
    except (OSError, UnicodeDecodeError, msgspec.MsgspecError, KeyError) as error:
        raise PermanentError(f"splits.decontaminate in dataset.yaml: {file}: {error!r}") from error
