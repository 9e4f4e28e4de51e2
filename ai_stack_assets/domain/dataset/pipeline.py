"""The stages of a week one after another: what each reads, what its version depends on, and who does the work."""

from __future__ import annotations

import os
import re
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from ai_stack_assets.domain.common.failures import PermanentError
from ai_stack_assets.domain.common.hashing import text_hash
from ai_stack_assets.domain.dataset import merge, records, rights, stage
from ai_stack_assets.domain.dataset.publishing import export
from ai_stack_assets.domain.dataset.publishing.bundle import bundle
from ai_stack_assets.domain.dataset.publishing.hub import MAIN, Hub, Published, publish
from ai_stack_assets.domain.dataset.publishing.validation import Downloaded, Finding, validate
from ai_stack_assets.domain.dataset.rights import Allowed
from ai_stack_assets.domain.dataset.settings import RAY, DatasetSettings
from ai_stack_assets.domain.dataset.sources.collect import failure, is_unchanged, snapshot

if TYPE_CHECKING:
    import numpy as np

    from ai_stack_assets.domain.common.lake import Lake, Version
    from ai_stack_assets.domain.dataset.leaks import Crossing
    from ai_stack_assets.domain.dataset.sources.collect import Source
    from ai_stack_assets.domain.onec.checks import CheckResult

SOURCE_TABLES = {"postgres": "postgres_methods", "github": "github_files", "its": "its_articles"}
_WEEK = re.compile(r"\d{4}-\d\d-\d\d$")
MERGED, DEDUPLICATED, FILTERED, SPLITS = "merged", "deduplicated", "filtered", "splits"


@dataclass(frozen=True)
class Made:
    """A stage's version of the week. `is_new`: made now; else nothing that it depends on has changed."""

    version: Version
    is_new: bool

    @property
    def facts(self) -> dict[str, Any]:
        return self.version.manifest["facts"]


class Week:
    """One week of the dataset."""

    def __init__(
        self, open_lake: Callable[[str], Lake], week: str, settings: DatasetSettings, work: Path
    ) -> None:
        """Args: open_lake: by name of the stage. work: folder on this machine for what does not fit into memory."""
        self.week, self.settings, self.work = week, settings, work
        self._open = open_lake

    def lake(self, stage_name: str) -> Lake:
        return self._open(f"dataset/{stage_name}")

    def version(self, stage_name: str) -> Version:
        version = self.lake(stage_name).current(self.week)
        if version is None:
            raise PermanentError(f"{stage_name} of week {self.week} is not there: materialise it first")
        return version

    def is_as_it_was(self, sources: Mapping[str, Source], *, is_past: bool) -> bool:
        """Whether a run would find everything as it is, shards included, and make nothing. Asks the sources."""
        for name, table in SOURCE_TABLES.items():
            if not is_unchanged(sources[name], self.lake(table), self.week, is_past=is_past):
                return False
        look = _Look(self._open, self.week, self.settings, self.work)
        try:
            look.merged(), look.deduplicated(lambda *_: None), look.filtered(), look.split()
            look.shards(export.PARQUET), look.shards(export.JSONL)
        except (_WouldBeMade, PermanentError):
            return False
        return True

    def merged(self) -> Made:
        """Raises PermanentError when no source has anything for the week."""
        found = {name: snapshot(self.lake(table), self.week) for name, table in SOURCE_TABLES.items()}
        if not any(version and version.rows("records") for version in found.values()):
            raise PermanentError(f"no source has rows for week {self.week}: {self._why_not()}")
        allowed = {name: version and Allowed(version, self.settings) for name, version in found.items()}
        return self._build(
            MERGED,
            merge.CODE_VERSION,
            lambda parts: merge.merge(allowed, parts),
            *found.values(),
            **rights.key(self.settings),
        )

    def deduplicated(self, on_ray: Callable[..., None]) -> Made:
        """`on_ray`: starts `dedupe.ray_job` with the arguments that it is given, and waits; when dataset.yaml says so."""
        from ai_stack_assets.domain.dataset.dedupe import deduplicate as dedupe

        merged, wanted = self.version(MERGED), self.settings.dedupe
        settings = dedupe.Settings(
            wanted.threshold, memory_bytes=int(wanted.memory_gb * 2**30), folder=self.work
        )

        def write(parts: stage.Parts) -> dict[str, Any]:
            known = self._components(merged, on_ray) if wanted.engine == RAY else None
            return dedupe.deduplicate(merged, parts.write, settings, known=known)

        # the engine is no part of the key: it finds the same clusters
        return self._build(DEDUPLICATED, dedupe.CODE_VERSION, write, merged, threshold=wanted.threshold)

    def _components(self, merged: Version, on_ray: Callable[..., None]) -> np.ndarray:
        import numpy as np

        found = self.work / "components.npy"
        threshold = str(self.settings.dedupe.threshold)
        on_ray("--threshold", threshold, "--result", str(found), *map(str, merged.parts("records")))
        return np.load(found)

    def filtered(self) -> Made:
        from ai_stack_assets.domain.dataset import quality

        before, settings = self.version(DEDUPLICATED), self.settings.quality
        return self._build(
            FILTERED,
            quality.CODE_VERSION,
            lambda parts: quality.refine(before, parts, settings, workers=len(os.sched_getaffinity(0))),
            before,
            **asdict(replace(settings, least_mean_score=0)),
        )

    def quality(self, made: Made) -> CheckResult:
        """Whether the filtered rows are good enough to be published."""
        from ai_stack_assets.domain.dataset.quality_check import check_mean_score

        return check_mean_score(made.facts, self.settings.quality)

    def split(self) -> Made:
        """What a week before has assigned stays: its version is an input like the rows."""
        from ai_stack_assets.domain.dataset import splits

        filtered, clusters, previous = (
            self.version(FILTERED),
            self.version(DEDUPLICATED),
            self._week_before(SPLITS),
        )
        rules, benchmarks = self.settings.splits.rules(), self.settings.splits.benchmarks()

        def write(parts: stage.Parts) -> dict[str, Any]:
            return splits.split(
                filtered,
                parts.write,
                clusters=clusters,
                previous=previous,
                rules=rules,
                benchmarks=benchmarks,
            )

        wanted = {
            **asdict(rules),
            "benchmarks": benchmarks and [text_hash(text) for text in benchmarks.texts],
        }
        return self._build(SPLITS, splits.CODE_VERSION, write, filtered, clusters, previous, **wanted)

    def leaks(self, made: Made) -> list[Crossing]:
        """What crosses splits: each property proved anew from the rows as written, once for each version."""
        from ai_stack_assets.domain.dataset.leaks import Crossing, crossings

        proof = self.work / f"leaks-{made.version.id}.json"
        if proof.exists():
            return msgspec.json.decode(proof.read_bytes(), type=list[Crossing])
        found = crossings(made.version, self.version(DEDUPLICATED), self.settings.splits.rules().closure)
        proof.write_bytes(msgspec.json.encode(found))
        return found

    def _week_before(self, stage_name: str) -> Version | None:
        """Of the newest earlier week that has this stage."""
        lake = self.lake(stage_name)
        return next((lake.current(w) for w in reversed(lake.configurations()) if w < self.week), None)

    def shards(self, kind: str) -> Made:
        """Parquet or JSONL files of the splits."""
        splits = self.version(SPLITS)
        licences = self.settings.github.allowed_licences

        def write(parts: stage.Parts) -> dict[str, Any]:
            return export.export(splits, parts, kind, licences)

        return self._build(kind, export.CODE_VERSION, write, splits, licences=licences)

    def published(self, hub: Hub, say: Callable[[str], None] = print) -> tuple[Published, dict[str, Any]]:
        """The public rows as a revision of the hub's repository, and its statistics.

        Raises:
            PermanentError: no row may be published, or their mean score is too low.
        """
        files, numbers = self._bundle(hub.repository)
        least = self.settings.quality.least_mean_score
        if not numbers["rows"]:
            raise PermanentError(
                f"week {self.week} has no row that may be published: name repositories with a free licence under github, or "
                "say under postgres.rights in dataset.yaml that your own code is publishable"
            )
        if numbers["quality"]["mean"] <= least:
            raise PermanentError(
                f"the mean quality score of week {self.week} is {numbers['quality']['mean']}, not above {least} "
                "(quality.least_mean_score in dataset.yaml): nothing is published"
            )
        # what is newest stays on the main branch, whichever week is rebuilt
        is_newest = all(tag <= self.week for tag in hub.tags() if _WEEK.match(tag))
        branch = MAIN if is_newest else f"week-{self.week}"
        return publish(
            hub, files, self.week, f"Week of {self.week}: {numbers['rows']:,} rows", branch, say
        ), numbers

    def validated(self, hub: Hub) -> list[Finding]:
        """Each property of what the hub has under the week's tag, downloaded anew."""
        _, numbers = self._bundle(hub.repository)
        with tempfile.TemporaryDirectory(dir=self.work) as folder:
            downloaded = Downloaded(hub.download(self.week, Path(folder) / "revision"), numbers)
            # rows are compared once for the same bytes; the bytes are fetched and compared each time
            proof = self.work / f"validated-{downloaded.digest}.json"
            if proof.exists():
                return msgspec.json.decode(proof.read_bytes(), type=list[Finding])
            found = validate(downloaded)
            proof.write_bytes(msgspec.json.encode(found))
            return found

    def _bundle(self, repository: str) -> tuple[dict[str, Path], dict[str, Any]]:
        shown = {
            MERGED: ("rows_in", "exact_duplicates", "rows_out"),
            DEDUPLICATED: ("removed_equal_tokens", "removed_near", "rows_out"),
            FILTERED: ("rejected", "redactions", "rows_out"),
        }
        stages = {
            name: {fact: self.version(name).manifest["facts"][fact] for fact in facts}
            for name, facts in shown.items()
        }
        parquet, jsonl = self.version(export.PARQUET), self.version(export.JSONL)
        return bundle(repository, self.week, parquet, jsonl, stages, self.work / "card")

    def source_states(self) -> dict[str, str]:
        """By source: `12 rows`, `failed: …`, `off: …`, or `not asked`."""
        states = {}
        for name, table in SOURCE_TABLES.items():
            version = self.lake(table).current(self.week)
            rows = f"{version.rows('records')} rows" if version else "not asked"
            states[name] = (failure(version) if version else "") or rows
        return states

    def _why_not(self) -> str:
        return "; ".join(f"{name}: {state}" for name, state in self.source_states().items())

    def _build(
        self,
        name: str,
        code_version: str,
        write: Callable[[stage.Parts], dict[str, Any]],
        *inputs: Version | None,
        **settings: Any,
    ) -> Made:
        version_id = stage.key(f"{records.VERSION}.{code_version}", *inputs, **settings)
        return self._made(self.lake(name), version_id, write)

    def _made(self, lake: Lake, version_id: str, write: Callable[[stage.Parts], dict[str, Any]]) -> Made:
        return Made(*stage.build(lake, self.week, version_id, write))


class _WouldBeMade(Exception):
    """A stage is not there as it would be made now."""


class _Look(Week):
    """The week as it is there; nothing is made."""

    def _made(self, lake: Lake, version_id: str, write: Callable[[stage.Parts], dict[str, Any]]) -> Made:
        if there := stage.found(lake, self.week, version_id):
            return Made(there, is_new=False)
        raise _WouldBeMade
