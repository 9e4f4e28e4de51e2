"""A saved model as a folder that MLflow loads anywhere: files, signature, input example, requirements, and the modules it needs.

No pickle: the loader (`served`) imports the task's module and calls its `load`. Nothing is sent anywhere here: see `runs`.
"""

from __future__ import annotations

import ast
import importlib.metadata
import importlib.util
import json
import re
import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import FunctionType
from typing import TYPE_CHECKING, Any

from ai_stack_assets.domain.common.failures import PermanentError
from ai_stack_assets.domain.training.registry import served

if TYPE_CHECKING:
    import pyarrow as pa
    from mlflow.types import Schema

BASE = ("mlflow", "pyarrow", "pandas")
"""What the loader itself needs."""
EXAMPLE_ROWS = 3


@dataclass(frozen=True)
class Fit:
    """One fitted model, as the fit left it."""

    task: Any
    """The task's module."""
    folder: Path
    """What `Model.save` wrote."""
    example: pa.Table
    """A few rows as `predict` takes them. Those that have code are served as methods: see `records`."""
    parameters: Mapping[str, Any]
    facts: Mapping[str, Any] = field(default_factory=dict)
    """Of the data: dataset revision, versions, rows by split. They become tags."""
    seed: int = 0
    seconds: float = 0.0
    key: str = ""
    """The same for a retry of this fit: it is then logged once."""
    revision: str = ""
    """Commit of the code."""


def package(fit: Fit, target: Path, run_id: str | None = None, model_id: str | None = None) -> Path:
    """Write the model with all that it needs into `target`, an empty or missing folder.

    `run_id`, `model_id`: of MLflow. Raises PermanentError for a model that cannot predict its own example.
    """
    import mlflow.pyfunc
    import pyarrow as pa
    from mlflow.models import Model, ModelSignature

    example, prepare, needed = _inputs(fit)
    place = f"{prepare.__module__}:{prepare.__qualname__}" if prepare else ""
    with tempfile.TemporaryDirectory() as temporary:
        data, code = Path(temporary, "task"), Path(temporary, "code")
        shutil.copytree(fit.folder, data / served.MODEL)
        entry = {"task": fit.task.__name__, "prepare": place}
        (data / served.ENTRY).write_text(json.dumps(entry), encoding="utf-8")
        (data / served.INPUTS).write_bytes(example.schema.remove_metadata().serialize())
        predicted = pa.Table.from_pandas(served._load_pyfunc(str(data)).predict(example.to_pandas()))
        answer = pa.schema([column.with_nullable(False) for column in predicted.schema])
        roots = [fit.task.__name__, served.__name__, *([prepare.__module__] if prepare else [])]
        mlflow.pyfunc.save_model(
            target,
            loader_module=served.__name__,
            data_path=str(data),
            code_paths=[str(path) for path in copy_modules(roots, code)],
            mlflow_model=Model(run_id=run_id, model_id=model_id),
            signature=ModelSignature(schema_of(example.schema), schema_of(answer)),
            input_example=example.to_pandas(),
            pip_requirements=requirements([*fit.task.REQUIREMENTS, *needed]),
        )
    return target


def _inputs(fit: Fit) -> tuple[pa.Table, FunctionType | None, Sequence[str]]:
    """The input example, with the schema of the signature; what makes features of it, if anything; and what that requires."""
    import pyarrow as pa

    rows = fit.example.slice(0, EXAMPLE_ROWS).combine_chunks()
    if "code" not in rows.column_names:
        schema = pa.schema([column.with_nullable(False) for column in rows.schema])
        return pa.table(rows.columns, schema=schema), None, ()
    from ai_stack_assets.domain.training.registry import records

    example = records.methods(rows, getattr(fit.task, "INPUTS", ()))
    return example, records.features, records.REQUIREMENTS


def requirements(names: Sequence[str]) -> list[str]:
    """Pinned to what is installed here, as the model was made with it. Raises PermanentError for what is not."""
    pinned = {}
    for name in (*BASE, *names):
        bare = re.split(r"[\s\[<>=!~;]", name, maxsplit=1)[0]
        try:
            pinned[bare.lower()] = f"{bare}=={importlib.metadata.version(bare)}"
        except importlib.metadata.PackageNotFoundError:
            raise PermanentError(f"the task requires {name!r}, which is not installed") from None
    return list(pinned.values())


def schema_of(columns: pa.Schema) -> Schema:
    """The same as MLflow writes it. Raises PermanentError that names a column of a type that it has no name for."""
    from mlflow.types import ColSpec, Schema

    try:
        return Schema(
            [ColSpec(_type(column.type), column.name, required=not column.nullable) for column in columns]
        )
    except KeyError as error:
        raise PermanentError(f"no type of MLflow for {error.args[0]} in {columns.names}") from None


def _type(arrow: pa.DataType) -> Any:
    import pyarrow as pa
    from mlflow.types.schema import Array, DataType

    if pa.types.is_dictionary(arrow):
        return _type(arrow.value_type)
    if pa.types.is_list(arrow) or pa.types.is_large_list(arrow) or pa.types.is_fixed_size_list(arrow):
        return Array(_type(arrow.value_type))
    if pa.types.is_timestamp(arrow):
        return DataType.datetime
    names = {
        **dict.fromkeys((pa.string(), pa.large_string(), pa.string_view()), DataType.string),
        # of any width: a number in JSON is 64 bits wide, and MLflow refuses to make it narrower
        **dict.fromkeys((pa.int8(), pa.int16(), pa.int32(), pa.int64()), DataType.long),
        **dict.fromkeys((pa.uint8(), pa.uint16(), pa.uint32(), pa.uint64()), DataType.long),
        **dict.fromkeys((pa.float16(), pa.float32()), DataType.float),
        pa.float64(): DataType.double,
        pa.bool_(): DataType.boolean,
        pa.binary(): DataType.binary,
    }
    return names[arrow]


def copy_modules(roots: Sequence[str], target: Path) -> list[Path]:
    """Copy these modules and all of their own packages that they import into `target`. Returns the top folders there."""
    for name, file in needed_modules(roots).items():
        place = target.joinpath(*name.split("."))
        place = place / "__init__.py" if file.name == "__init__.py" else place.with_suffix(".py")
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(file, place)
    return sorted(path for path in target.iterdir())


def needed_modules(roots: Sequence[str]) -> dict[str, Path]:
    """Name → file of the modules, of their packages, and of what they import from the same top packages, also inside functions.

    What is imported for type checking only is left out.
    """
    own = {root.partition(".")[0] for root in roots} | {__name__.partition(".")[0]}
    found: dict[str, Path] = {}
    waiting = list(roots)
    while waiting:
        name = waiting.pop()
        if name in found or name.partition(".")[0] not in own:
            continue
        file = _file(name)
        if file is None:  # a name inside a module
            continue
        found[name] = file
        waiting.append(name.rpartition(".")[0])
        waiting.extend(_imports(ast.parse(file.read_text(encoding="utf-8")), name, file))
    return found


def _file(name: str) -> Path | None:
    try:
        spec = importlib.util.find_spec(name) if name else None
    except ModuleNotFoundError:
        return None
    return Path(spec.origin) if spec and spec.origin else None


def _imports(tree: ast.AST, module: str, file: Path) -> Iterator[str]:
    package = module if file.name == "__init__.py" else module.rpartition(".")[0]
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = importlib.util.resolve_name("." * node.level + (node.module or ""), package)
            yield base
            yield from (f"{base}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test):
            for other in node.orelse:
                yield from _imports(other, module, file)
        else:
            yield from _imports(node, module, file)
