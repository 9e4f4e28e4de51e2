"""What Feast gets: definitions made from ours, rows with the time from which they hold."""

from __future__ import annotations

import ast
import sys
from datetime import UTC, datetime
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from ai_stack_assets.domain.common.failures import PermanentError
from ai_stack_assets.domain.common.lake import Lake
from ai_stack_assets.domain.training.features import definitions, feast, store
from ai_stack_assets.domain.training.features.sources import SplitRecords
from ai_stack_assets_tests.domain.training.makers import a_record, a_split

CHANGED, EXPORTED = datetime(2026, 3, 1, tzinfo=UTC), datetime(2026, 11, 20, tzinfo=UTC)
ROWS = [a_record("Раз", changed_at=CHANGED), a_record("Два")]


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    source = SplitRecords(a_split(tmp_path, {"train": ROWS}))
    version = store.update(Lake(tmp_path / "features"), source).version
    folder = tmp_path / "feast"
    assert feast.export(version, folder, known_since=EXPORTED) == 2
    return folder


def test_every_feature_is_defined_with_its_type_and_meaning(repository: Path):
    tree = ast.parse((repository / "features.py").read_text())

    fields = {
        call.keywords[0].value.value: ast.unparse(call.keywords[1].value)
        for call in ast.walk(tree)
        if isinstance(call, ast.Call) and ast.unparse(call.func) == "Field"
    }
    computed = definitions.names(definitions.TEXT, definitions.TERMS, definitions.NUMBER)
    assert set(computed) < set(fields)
    assert (fields["code_terms"], fields["cyclomatic"]) == ("Array(String)", "Int32")
    assert "code" not in fields


def test_rows_hold_from_when_their_code_was_there(repository: Path):
    rows = pq.read_table(repository / "data" / "methods.parquet").to_pylist()

    assert {row["method_name"]: row["event_timestamp"] for row in rows} == {"Раз": CHANGED, "Два": EXPORTED}


def test_a_missing_command_says_where_feast_belongs(repository: Path):
    with pytest.raises(PermanentError, match="no command 'no-such-feast': install feast into an environment"):
        feast.apply(repository, "no-such-feast")


def test_a_refusal_is_told_in_the_words_of_feast(repository: Path):
    with pytest.raises(PermanentError, match="can't open file"):
        feast.apply(repository, sys.executable)
