"""`dataset.yaml`: defaults stay where nothing is said, and what cannot be meant is refused by its name."""

from __future__ import annotations

from pathlib import Path

import pytest

from ai_stack_assets.domain.common.failures import PermanentError
from ai_stack_assets.domain.dataset.settings import DatasetSettings, load
from ai_stack_assets.domain.dataset.sources.its_session import ItsManners
from ai_stack_assets.domain.dataset.sources.polite import Manners
from ai_stack_assets.domain.dataset.sources.postgres import Rights


def loaded(folder: Path, text: str) -> DatasetSettings:
    file = folder / "dataset.yaml"
    file.write_text(text, encoding="utf-8")
    return load(file)


def test_without_a_file_or_with_an_empty_one_all_is_default(tmp_path: Path) -> None:
    assert load(tmp_path / "none.yaml") == loaded(tmp_path, "") == DatasetSettings()


def test_the_projects_own_file_is_right() -> None:
    assert load(Path(__file__).parents[3] / "dataset.yaml").name == "local/bsl"


def test_manners_that_are_set_in_part_keep_the_other_defaults(tmp_path: Path) -> None:
    settings = loaded(
        tmp_path, "its: {manners: {timeout_seconds: 5}}\ngithub: {manners: {timeout_seconds: 5}}\n"
    )
    assert settings.its.manners == ItsManners(delay_seconds=1, retries=3, timeout_seconds=5)
    assert settings.github.manners == Manners(delay_seconds=0, retries=5, timeout_seconds=5)


def test_rights_are_by_configuration_whatever_its_name(tmp_path: Path) -> None:
    text = "postgres: {rights: {user: {licence: MIT, is_publishable: true}, trade: {}}}\n"
    settings = loaded(tmp_path, text)
    assert settings.postgres.rights == {"user": Rights("MIT", True), "trade": Rights()}


@pytest.mark.parametrize(
    "text",
    [
        "name: Team-1/my_bsl.v2",
        "dedupe: {threshold: 1, memory_gb: 0.5, engine: ray}",
        "splits: {validation: 0, test: 0}",
        "splits: {validation: 0.5, test: 0.4}",
        "quality: {filters: {}, redaction: {kept_kinds: [ip]}}",
        "github: {opted_out: ['https://github.com/acme/x', '@acme', acme/y]}",
        "github: {licences: {owner/name: MIT}, pinned: {owner/name: abc}}",
    ],
)
def test_what_can_be_meant_is_taken(tmp_path: Path, text: str) -> None:
    assert loaded(tmp_path, text)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("nmae: a/b", "unknown key 'nmae', did you mean 'name'"),
        ("postgres: {rights: {demo: {license: MIT}}}", "demo: unknown key 'license', did you mean 'licence'"),
        ("postgres: {default_rights: {publish: true}}", "default_rights: unknown key 'publish'"),
        ("postgres: {rights: {demo: MIT}}", "demo: expected keys and values"),
        ("its: {manners: {delay: 5}}", "manners: unknown key 'delay'"),
        ("github: {manners: {retry: 5}}", "manners: unknown key 'retry', did you mean 'retries'"),
        ("quality: {redaction: {kept: []}}", "redaction: unknown key 'kept'"),
        ("github: {token: x}", "token is a secret"),
        ("github: {opted_out: ['acme/*']}", "github.opted_out"),
        ("name: bsl", "name is owner/name"),
        ("name: ../bsl", "name is owner/name"),
        ("name: a/b..c", "name is owner/name"),
        ("name: a/b/c", "name is owner/name"),
        ("name: команда/bsl", "name is owner/name"),
        ('name: "a/b\\n"', "name is owner/name"),
        ("dedupe: {threshold: 0}", "dedupe.threshold"),
        ("dedupe: {threshold: 80}", "dedupe.threshold"),
        ("dedupe: {threshold: .nan}", "dedupe.threshold"),
        ("dedupe: {memory_gb: 0}", "dedupe.memory_gb"),
        ("dedupe: {engine: spark}", "dedupe.engine is local or ray"),
        ("splits: {validation: -0.1}", "splits.validation"),
        ("splits: {test: -0.1}", "splits.test"),
        ("splits: {validation: 0.5, test: 0.5}", "leave nothing to train on"),
        ("splits: {test: much}", "splits.test"),
        ("name: [", "dataset.yaml"),
    ],
)
def test_what_cannot_be_meant_is_refused_by_its_name(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(PermanentError) as caught:
        loaded(tmp_path, text)
    assert said in str(caught.value)


def test_all_that_is_out_of_range_is_told_at_once(tmp_path: Path) -> None:
    with pytest.raises(PermanentError, match=r"name is.*dedupe\.memory_gb"):
        loaded(tmp_path, "name: bsl\ndedupe: {memory_gb: -1}")
