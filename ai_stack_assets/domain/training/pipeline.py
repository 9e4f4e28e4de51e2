"""The training stage of a week, part after part: what each reads, what its version depends on, and who does the work.

features ─ examples ─ drift ─ model ─ evaluation ─ registry          each by task, from the third on
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from filelock import FileLock

from ai_stack_assets.domain.common.failures import PermanentError
from ai_stack_assets.domain.dataset import pipeline as dataset
from ai_stack_assets.domain.dataset.pipeline import Made
from ai_stack_assets.domain.training import distributed, fitting, judging, prepared, searching, tasks
from ai_stack_assets.domain.training.choice import Choice

if TYPE_CHECKING:
    from ai_stack_assets.domain.common.lake import Lake, Version
    from ai_stack_assets.domain.training.change_risk.examples import Past
    from ai_stack_assets.domain.training.cleaning import Cleaned
    from ai_stack_assets.domain.training.contract import Sets, Task
    from ai_stack_assets.domain.training.features.store import Update
    from ai_stack_assets.domain.training.proofs import Proved
    from ai_stack_assets.domain.training.registry.decisions import Row
    from ai_stack_assets.domain.training.registry.registry import Registry
    from ai_stack_assets.domain.training.settings import TrainingSettings

FEATURES, EXAMPLES, DRIFT, KNOWN, INFERENCE = "features", "examples", "drift", "known", "inference"
BY_TASK = (EXAMPLES, "model", "search", "evaluation")
"""Kinds of lakes that each task has one of."""


class Training:
    """One week of the training stage."""

    def __init__(
        self,
        open_lake: Callable[[str], Lake],
        week: str,
        settings: TrainingSettings,
        work: Path,
        *,
        pasts: Callable[[], list[Past]] = list,
        at_once: int = 1,
    ) -> None:
        """
        Args:
            open_lake: by name. work: folder on this machine for checkpoints and files on their way.
            pasts: configurations whose history the lake has. at_once: fits that share the cores of the machine.
        """
        self.week, self.settings, self.work = week, settings, work
        self._open, self._pasts = open_lake, pasts
        self._threads = fitting.threads_of(settings.threads, at_once)

    def lake(self, name: str) -> Lake:
        return self._open(f"training/{name}")

    def version(self, name: str) -> Version:
        return _required(self.lake(name).current(self.week), f"{name} of week {self.week}")

    def dataset(self, name: str) -> Version:
        found = self._open(f"dataset/{name}").current(self.week)
        return _required(found, f"{name} of the dataset of week {self.week}")

    def features(self, say: Callable[[str], None] = print) -> dict[str, Update]:
        """Features of the week's dataset and of every configuration as it is now, by the name of the source.

        Raises:
            PermanentError: there is neither.
        """
        from ai_stack_assets.domain.training.features import sources, store

        onec, splits = self._open("onec"), self._open(f"dataset/{dataset.SPLITS}").current(self.week)
        found: list[store.Source] = [sources.SplitRecords(splits)] if splits else []
        found += [sources.ConfigurationRecords(onec.require(name)) for name in onec.configurations()]
        if not found:
            raise PermanentError(
                "there is nothing to compute features of: `make run` extracts a configuration"
            )
        self.work.mkdir(parents=True, exist_ok=True)
        # one folder for all weeks, so that a week computes only what the one before has not
        with FileLock(self.work / "features.lock"):
            workers = fitting.cores()
            return {
                each.partition: store.update(self.lake(FEATURES), each, workers=workers, say=say)
                for each in found
            }

    def why_not(self, name: str) -> str:
        """Why a task has no examples at all, which is no fault; empty when it may have."""
        if not self.settings.task(name).is_on:
            return "switched off in training.yaml"
        if name == tasks.BY_TIME and not any(past.is_long for past in self._pasts()):
            from ai_stack_assets.domain.training.change_risk.examples import LEAST_SPAN

            return (
                f"no configuration has {LEAST_SPAN} years of its history in the lake: "
                "python -m ai_stack_assets history NAME --from YEAR"
            )
        return ""

    def examples(self, name: str) -> Made:
        """The sets of a task, from the dataset's splits, the features and the labels, or from the past."""
        if name == tasks.BY_TIME:
            from ai_stack_assets.domain.training.change_risk import examples

            return examples.build(self._lake_of_examples(name), self.week, self._pasts())
        return prepared.build(
            self._lake_of_examples(name),
            tasks.load(name),
            features=self._features_of_dataset(),
            splits=self.dataset(dataset.SPLITS),
            configurations=self._configurations(),
        )

    def proved(self, name: str) -> Proved:
        """Whether the examples are fit to be trained on."""
        from ai_stack_assets.domain.training import proofs

        origin = None
        if name != tasks.BY_TIME:
            clusters = self._open(f"dataset/{dataset.DEDUPLICATED}").current(self.week)
            origin = proofs.Origin(self.dataset(dataset.SPLITS), clusters)
        return proofs.proved(
            name, self._examples(name), origin, least_rows=self.settings.least_rows, folder=self.work
        )

    def drift(self, registry: Registry, say: Callable[[str], None] = print) -> Made:
        """How far the week's code has moved, and which models are trained for it."""
        from ai_stack_assets.domain.training import drifting, labels

        found = self._configurations()
        features = self._features_of_configurations() or [self._features_of_dataset()]
        lakes = drifting.Lakes(self.lake(DRIFT), self.lake(KNOWN), self._lake_of_examples)
        self.work.mkdir(parents=True, exist_ok=True)
        # what champions know is of no week
        with FileLock(self.work / "drift.lock"):
            return drifting.drift(
                lakes,
                self.week,
                features,
                lambda rows: labels.add(rows, labels.subsystems(found)),
                registry,
                self.settings,
                say=say,
            )

    def sets(self, name: str) -> Sets:
        return prepared.read(self._examples(name))

    def choice(self, name: str) -> Choice:
        """Whether the task is trained this week, as the drift decided."""
        choice = self.version(DRIFT).manifest["facts"]["choices"][name]
        return Choice(**choice)

    def model(
        self,
        name: str,
        *,
        search: bool = False,
        force: bool = False,
        say: Callable[[str], None] = print,
    ) -> Made:
        """The task's model, fitted on this week's examples. `search`: look for better parameters first. `force`: mend it."""
        task, examples = tasks.load(name), self._examples(name)
        if search:
            searching.search(
                self.lake(f"{name}_search"),
                self.week,
                task,
                examples,
                self.settings,
                folder=fitting.checkpoint_folder(self.work, name),
                threads=self._threads,
                say=say,
            )
        return fitting.fit(
            self.lake(f"{name}_model"),
            self.week,
            distributed.on(task, self.settings.task(name).distributed),
            examples,
            prepared.read,
            self._wanted(task),
            work=self.work,
            threads=self._threads,
            force=force,
            say=say,
        )

    def evaluation(self, name: str, registry: Registry, say: Callable[[str], None] = print) -> Made:
        """How good the model is, beside what it has to beat, and what becomes of it. A refusal is written down at once."""
        task, model = tasks.load(name), self.version(f"{name}_model")
        made = judging.judge(
            self.lake(f"{name}_evaluation"),
            self.week,
            task,
            model,
            lambda: self.sets(name),
            registry,
            self.settings.limits(name),
            seed=self.settings.seed,
            is_searched=self._is_searched(task, model),
            say=say,
        )
        decision = judging.decision_of(made.facts)
        if decision.outcome in judging.REFUSED:
            registry.apply(task, made.facts["run_id"], decision)
        return made

    def registered(self, name: str, registry: Registry) -> tuple[Row, Made]:
        """What the evaluation decided, done: a new champion, a new challenger, or neither."""
        made = Made(self.version(f"{name}_evaluation"), False)
        decision = judging.decision_of(made.facts)
        return registry.apply(tasks.load(name), made.facts["run_id"], decision), made

    def inferred(self, registry: Registry, say: Callable[[str], None] = print) -> dict[str, Made]:
        """What the models in use say of every configuration's methods, by configuration. Empty: no model is in use yet."""
        from ai_stack_assets.domain.training import inference

        champions = inference.champions(registry)
        features = self._features_of_configurations() if champions else []
        pasts = {past.name: past for past in self._pasts()} if tasks.BY_TIME in champions else {}
        made = {}
        for each in features:
            asked = inference.with_past(champions, pasts.get(each.configuration), say)
            made[each.configuration] = inference.infer(self.lake(INFERENCE), each, asked, say=say)
        return made

    def cleaned(self, registry: Registry) -> Cleaned:
        from ai_stack_assets.domain.training.cleaning import clean

        return clean(self.work, self._lakes(), registry, self.settings.retention)

    def _wanted(self, task: Task) -> fitting.Wanted:
        found, origin = searching.found(self.lake(f"{task.NAME}_search"), task, self.week)
        given = self.settings.task(task.NAME).parameters
        origin = f"{origin}, training.yaml" if given else origin
        drift = self.version(DRIFT).id
        return fitting.Wanted(
            parameters=fitting.parameters(task, found, given),
            seed=self.settings.seed,
            workers=self.settings.task(task.NAME).distributed.count,
            origin=origin,
            drift=drift,
        )

    def _is_searched(self, task: Task, model: Version) -> bool:
        """Whether the model has what the search on this week's examples found, be it what it had before."""
        search, examples = self.lake(f"{task.NAME}_search"), self._examples(task.NAME)
        if not searching.is_done(search, self.week, task, examples, self.settings):
            return False
        return model.manifest["facts"]["parameters"] == self._wanted(task).parameters

    def _configurations(self) -> list[Version]:
        onec = self._open("onec")
        return [onec.require(name) for name in onec.configurations()]

    def _features_of_dataset(self) -> Version:
        """Those of this week's splits: another week may have been computed since."""
        from ai_stack_assets.domain.training.features.sources import DATASET

        splits, kept = self.dataset(dataset.SPLITS).id, self.lake(FEATURES).versions(DATASET)
        found = next((version for version in kept if version.manifest["facts"]["source"] == splits), None)
        return _required(found, f"features of the dataset of week {self.week}")

    def _features_of_configurations(self) -> list[Version]:
        """Code as it is now, of those that are still in the lake."""
        lake = self.lake(FEATURES)
        found = (lake.current(version.configuration) for version in self._configurations())
        return [version for version in found if version]

    def _examples(self, name: str) -> Version:
        return self.version(f"{name}_{EXAMPLES}")

    def _lake_of_examples(self, name: str) -> Lake:
        return self.lake(f"{name}_{EXAMPLES}")

    def _lakes(self) -> Iterator[Lake]:
        """All whose folders are weeks."""
        yield self.lake(DRIFT)
        yield from (self.lake(f"{name}_{kind}") for name in tasks.NAMES for kind in BY_TASK)


def weeks_to_train(open_lake: Callable[[str], Lake]) -> list[str]:
    """Weeks whose dataset has been split, the newest first."""
    return sorted(open_lake(f"dataset/{dataset.SPLITS}").configurations(), reverse=True)


def _required(version: Version | None, what: str) -> Version:
    if version is None:
        raise PermanentError(f"{what} is not there: materialise it first")
    return version
