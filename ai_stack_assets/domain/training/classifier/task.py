"""Task `classifier`: which subsystem a method belongs to, and where a form's method should run.

Used to place new code, to find misplaced code and to tag configurations. Looked at: terms of a method's code, comment, name and
parameters, its object's name, and what subsystems are called; never their content, nor the directive. An object's methods vote.
"""

from __future__ import annotations

import contextlib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ai_stack_assets.domain.common.failures import PermanentError
from ai_stack_assets.domain.training import labels, validation_rules
from ai_stack_assets.domain.training.classifier import head as heads
from ai_stack_assets.domain.training.classifier import measures, model, terms
from ai_stack_assets.domain.training.classifier.model import CODE, CONTEXT, PLACE, SUBSYSTEM, Classifier
from ai_stack_assets.domain.training.contract import Evaluation, Progress, Sets
from ai_stack_assets.domain.training.features.compute import of_methods

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa

NAME = "classifier"
METRIC = measures.METRIC
MAY_LACK = ("context_accuracy", "context_macro_f1")
"""Where no example is of a form."""
CODE_VERSION = "1"
REQUIREMENTS = ("numpy", "scipy", "pyarrow", "PyStemmer", "msgspec", "xxhash")
PARAMETERS: Mapping[str, Any] = {
    "c": 0.5,
    "least_methods": 3,
    "module_weight": 0.5,
    "place_weight": 0.5,
    "vote": "object",
    "knows_names": True,
}
"""`c`: the less, the smoother. `least_methods`: that a term has to be in. `module_weight`: 0 counts methods, 1 counts modules: a
row weighs `methods of its module ** -module_weight`. `place_weight`: of the object's name beside the texts. `vote`: of all
methods of an `object` or a `module`, or each `method` alone. `knows_names`: of the subsystems that there are."""
_LEAST_OF_CONTEXT = 2
"""Methods. Of a subsystem one is enough, even none: its name is an example, too."""
_LEAST_PLACES = 2
"""Objects that a piece of a name has to be in."""
_PLACE_C = 1.0
_INTRODUCTION = {CODE: 5.0, PLACE: 2.0}
"""Weight of a subsystem's name as if it were a method, or an object, of it. On validation, 3 splits by family: accuracy .87
instead of .77, macro-F1 .78 instead of .68; subsystems whose objects are all held out are found by nothing else."""
_READ = ("repository", "configuration", "module", "object", *terms.TEXT_COLUMNS, SUBSYSTEM, CONTEXT)
"""All that a head looks at: the labels are what it learns."""
_LABEL = {CODE: SUBSYSTEM, PLACE: SUBSYSTEM, CONTEXT: CONTEXT}
"""What a head learns."""


def prepare(rows: pa.Table) -> pa.Table:
    """Methods whose subsystem is known.

    Raises:
        PermanentError: there are none.
    """
    if not rows.num_rows:
        return rows
    labelled = rows.filter(rows[SUBSYSTEM].is_valid())
    if not labelled.num_rows:
        validation_rules.classes(rows, SUBSYSTEM)
    return labelled


def fit(
    sets: Sets,
    parameters: Mapping[str, Any],
    *,
    seed: int,
    checkpoint: Path | None = None,
    progress: Progress = print,
) -> Classifier:
    """Same sets, parameters and seed: the same weights bit for bit on one machine, metrics within 0.001 on another.

    Raises:
        PermanentError: fewer than two subsystems have a method in the train set, a set is empty, or a parameter is not known.
    """
    settings = {**PARAMETERS, **parameters}
    _check(sets, settings)
    named = _introductions(sets.train) if settings["knows_names"] else None
    fitted = {}
    for name in _LABEL:
        rows = _examples(sets.train, name, progress)
        head = _resumed(checkpoint, name, progress)
        if head is None and rows is not None:
            head = _fitted(rows, name, settings, seed, named)
            if checkpoint:
                head.save(checkpoint / f"{name}.npz")
        if head:
            fitted[name] = head
    seen = sets.train[SUBSYSTEM].unique().to_pylist()
    found = Classifier(
        fitted, settings["vote"], settings["place_weight"], by_name=sorted({*fitted[CODE].classes} - {*seen})
    )
    progress(
        f"{len(seen)} subsystems have methods to learn from, {len(found.by_name)} are known by name alone"
    )
    return _calibrated(found, sets.validation, progress)


def load(folder: Path) -> Classifier:
    """What `Classifier.save` wrote. Raises PermanentError that names the file which is damaged."""
    return model.load(folder)


def evaluate(model: Classifier, examples: pa.Table, *, seed: int = 0) -> Evaluation:
    """With the vote; `method_…`: each method alone; `code_…`: by its text alone, without its object's name; `context_…`: the
    second head, on forms; `unseen_share`: examples of subsystems that had no method in training."""
    import numpy as np

    _require_rows(examples, "the examples are")
    truth = examples[SUBSYSTEM].to_pylist()
    answers = model.predict(examples)
    found = answers[SUBSYSTEM].to_pylist()
    classes = model.classes(SUBSYSTEM)
    seen = {*classes} - {*model.by_name}
    is_right = np.array(found, object) == np.array(truth, object)
    more = {
        **measures.quality(truth, _best(model.scores(examples, vote="method"), classes), "method_"),
        **measures.quality(truth, answers["code_subsystem"].to_pylist(), "code_"),
        **_of_context(examples, answers),
        "unseen_share": float(np.mean([name not in seen for name in truth])),
        "calibration_error": measures.calibration_error(answers["subsystem_score"].to_numpy(), is_right),
        "classes": float(len(set(truth))),
    }
    return measures.evaluation(examples, truth, found, more)


def baselines(sets: Sets, examples: pa.Table, *, seed: int) -> Mapping[str, Evaluation]:
    """`majority`: always the largest class; `TF-IDF, SVC`: the text of the method alone; `object's name`: nothing but that."""
    rows = _examples(sets.train, CODE, lambda _: None)
    assert rows is not None
    truth = examples[SUBSYSTEM].to_pylist()
    # without names of subsystems, as a plain text classifier would be built
    largest = Counter(rows[SUBSYSTEM].to_pylist()).most_common(1)[0][0]
    found = {"majority": [largest] * len(truth)}
    plain = {**PARAMETERS, "module_weight": 0.0}
    for label, name in (("TF-IDF, SVC", CODE), ("object's name", PLACE)):
        with contextlib.suppress(PermanentError):  # names that have nothing in common: no baseline
            head = _fitted(rows, name, plain, seed)
            found[label] = _best(head.scores(examples), head.classes)
    return {name: measures.evaluation(examples, truth, each) for name, each in found.items()}


def search_space(trial: Any) -> dict[str, Any]:
    return {
        "c": trial.suggest_float("c", 0.05, 2.0, log=True),
        "least_methods": trial.suggest_int("least_methods", 2, 5),
        "module_weight": trial.suggest_float("module_weight", 0.0, 1.0),
        "place_weight": trial.suggest_float("place_weight", 0.1, 1.0),
    }


def _check(sets: Sets, settings: Mapping[str, Any]) -> None:
    for name in ("train", "validation"):
        _require_rows(getattr(sets, name), f"the {name} set is")
    if unknown := sorted(set(settings) - set(PARAMETERS)):
        raise PermanentError(f"{NAME} has no parameter {unknown[0]!r}: {', '.join(PARAMETERS)}")
    if settings["vote"] not in model.VOTES:
        raise PermanentError(f"{NAME}: vote is one of {', '.join(model.VOTES)}, not {settings['vote']!r}")


def _require_rows(rows: pa.Table, what: str) -> None:
    if not rows.num_rows:
        raise PermanentError(f"{NAME}: {what} empty: add configurations whose subsystems have content")


def _examples(rows: pa.Table, name: str, progress: Progress) -> pa.Table | None:
    """Those of a head's classes that can be learned. None when the context cannot: it is the lesser head."""
    import pyarrow as pa
    import pyarrow.compute as pc

    label = _LABEL[name]
    try:
        least = _LEAST_OF_CONTEXT if name == CONTEXT else 1
        classes, _ = validation_rules.classes(rows, label, least=least)
    except PermanentError as error:
        if name != CONTEXT:
            raise
        progress(f"{name}: left out, {error}")
        return None
    return rows.filter(pc.is_in(rows[label], pa.array(classes))).select(_READ)


def _introductions(rows: pa.Table) -> pa.Table:
    """Every subsystem as a method and an object that are called like it: rows as `_examples` gives them."""
    import pyarrow as pa

    names = sorted({*labels.names(rows, SUBSYSTEM), *rows[SUBSYSTEM].drop_null().to_pylist()})
    made = of_methods({"code": name, "method_name": name, "object": f"Subsystem.{name}"} for name in names)
    made = made.append_column(SUBSYSTEM, pa.array(names, pa.string()))
    return made.append_column(CONTEXT, pa.nulls(len(names), pa.string())).select(_READ)


def _fitted(
    rows: pa.Table, name: str, settings: Mapping[str, Any], seed: int, named: pa.Table | None = None
) -> heads.Head:
    """One head: the place's on objects, each once, the others on methods. `named`: introductions of subsystems."""
    import numpy as np
    import pyarrow as pa

    if name == PLACE:
        _, first = np.unique(model.groups(rows, "object"), return_index=True)
        rows, weights = rows.take(first), np.ones(len(first))
        wanted = heads.Settings(terms.PLACE, _LEAST_PLACES, _PLACE_C)
    else:
        weights = _weights(rows, settings["module_weight"])
        wanted = heads.Settings(terms.TEXT, settings["least_methods"], settings["c"])
    introduced = 0
    if named is not None and name in _INTRODUCTION:
        rows, introduced = pa.concat_tables([rows, named]), named.num_rows
        weights = np.append(weights, np.full(named.num_rows, _INTRODUCTION[name]))
    return heads.fit(
        rows, rows[_LABEL[name]].to_pylist(), wanted, seed=seed, weights=weights, introduced=introduced
    )


def _weights(rows: pa.Table, power: float) -> np.ndarray:
    """float64 [rows], 1 on average."""
    import numpy as np

    group = model.groups(rows, "module")
    weights = np.bincount(group)[group] ** -float(power)
    return weights / weights.mean()


def _resumed(checkpoint: Path | None, name: str, progress: Progress) -> heads.Head | None:
    """A head that a killed fit left; a damaged one is fitted again."""
    if checkpoint is None or not (checkpoint / f"{name}.npz").exists():
        return None
    try:
        found = heads.load(checkpoint / f"{name}.npz")
    except PermanentError as error:
        progress(f"{name}: fitted again, {error}")
        return None
    progress(f"{name}: taken from the checkpoint")
    return found


def _calibrated(fitted: Classifier, rows: pa.Table, progress: Progress) -> Classifier:
    """With a temperature for each answer, set on rows that nothing was fitted on."""
    text = fitted.heads[CODE].scores(rows)
    scores = {SUBSYSTEM: fitted.scores(rows, text), CODE: text}
    if CONTEXT in fitted.heads:
        scores[CONTEXT] = fitted.context(rows)
    temperatures = {}
    for name, found in scores.items():
        truth = rows[_LABEL.get(name, SUBSYSTEM)].to_pylist()
        temperatures[name] = heads.temperature_of(found, fitted.classes(name), truth)
        reached = _reached(truth, _best(found, fitted.classes(name)))
        progress(f"{name}: validation {reached}, temperature {temperatures[name]:.2f}")
    return replace(fitted, temperatures=temperatures)


def _best(scores: np.ndarray, classes: Sequence[str]) -> list[str]:
    return [classes[i] for i in scores.argmax(axis=1)]


def _reached(truth: Sequence[str | None], found: Sequence[str]) -> str:
    pairs = [pair for pair in zip(truth, found, strict=True) if pair[0] is not None]
    if not pairs:
        return "has no labels"
    quality = measures.quality([label or "" for label, _ in pairs], [answer for _, answer in pairs])
    return ", ".join(f"{name} {value:.4f}" for name, value in quality.items())


def _of_context(rows: pa.Table, answers: pa.Table) -> dict[str, float]:
    """Empty when no example has a context, or the model no such head."""
    labelled = rows[CONTEXT].to_pylist(), answers[CONTEXT].to_pylist()
    pairs = [(truth, found) for truth, found in zip(*labelled, strict=True) if truth is not None and found]
    if not pairs:
        return {}
    return {**measures.quality(*zip(*pairs, strict=True), "context_"), "context_rows": float(len(pairs))}
