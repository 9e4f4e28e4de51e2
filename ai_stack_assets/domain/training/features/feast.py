"""The features as a repository of Feast: its settings, its definitions (made from `definitions`), its data. No Feast in here.

    feature_store.yaml, features.py, data/methods.parquet        `feast apply` in the folder registers them

Feast 0.67 wants pandas below 3, so it lives in an environment of its own; what it needs from here are these three files.
The entity is a method's code (`content_hash`); a row holds from `changed_at` on: a join by time never sees code that was not
there yet.
"""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from ai_stack_assets.domain.common.failures import PermanentError
from ai_stack_assets.domain.training.features import definitions
from ai_stack_assets.domain.training.features.store import TABLE

if TYPE_CHECKING:
    import pyarrow as pa

    from ai_stack_assets.domain.common.lake import Version

PROJECT, VIEW, EVENT = "ai_stack_assets", "methods", "event_timestamp"
DATA = f"data/{VIEW}.parquet"
_LEFT_OUT = (definitions.KEY, "code", "changed_at")
_TYPES = {
    "string": "String",
    "int32": "Int32",
    "bool": "Bool",
    "float32": "Float32",
    "list<string>": "Array(String)",
}
_SETTINGS = f"""project: {PROJECT}
provider: local
registry: data/registry.db
online_store: {{type: sqlite, path: data/online_store.db}}
offline_store: {{type: file}}
entity_key_serialization_version: 3
"""
_DEFINITIONS = '''"""Features of 1C methods, version {version}. Made by an export of ai_stack_assets: do not change."""

from datetime import timedelta

from feast import Entity, FeatureView, Field, FileSource, ValueType
from feast.types import Array, Bool, Float32, Int32, String

method = Entity(name="method", join_keys=["{key}"], value_type=ValueType.STRING, description={meaning!r})
source = FileSource(name="{view}_source", path="{data}", timestamp_field="{event}")
{view} = FeatureView(
    name="{view}",
    entities=[method],
    ttl=timedelta(0),
    source=source,
    tags={{"code_version": "{code_version}", "version": "{version}"}},
    schema=[
{fields}
    ],
)
'''


def export(version: Version, folder: Path, *, known_since: datetime) -> int:
    """Write the repository; what Feast keeps in the folder itself stays.

    Args:
        version: of `features.store`.
        known_since: with a time zone; from when rows hold whose time of change is unknown.

    Returns:
        Rows.
    """
    import pyarrow.parquet as pq

    (folder / "data").mkdir(parents=True, exist_ok=True)
    (folder / "feature_store.yaml").write_text(_SETTINGS)
    (folder / "features.py").write_text(definitions_file(version.id))
    draft, rows = folder / f"{DATA}.draft", 0
    with pq.ParquetWriter(draft, _schema(), compression="zstd") as writer:
        for batch in _rows(version, known_since):
            writer.write_table(batch)
            rows += batch.num_rows
    draft.replace(folder / DATA)
    return rows


def apply(folder: Path, command: str = "feast", *, seconds: float = 300) -> str:
    """Register what was exported. Returns what Feast says.

    Args:
        command: of an environment that has Feast.

    Raises:
        PermanentError: there is no such command, or Feast refuses; it says what Feast said.
    """
    try:
        done = subprocess.run([command, "apply"], cwd=folder, capture_output=True, text=True, timeout=seconds)
    except FileNotFoundError as error:
        raise PermanentError(
            f"there is no command {command!r}: install feast into an environment of its own (it needs pandas below 3) and "
            "name its command"
        ) from error
    except subprocess.TimeoutExpired as error:
        raise PermanentError(f"`{command} apply` in {folder} took more than {seconds:.0f} s") from error
    if done.returncode:
        raise PermanentError(f"`{command} apply` in {folder} failed: {done.stderr.strip()[-2000:]}")
    return done.stdout


def definitions_file(version_id: str) -> str:
    """Text of `features.py`."""
    fields = [
        f'        Field(name="{f.name}", dtype={_TYPES[f.type]}, description={f.meaning!r}),'
        for f in _exported()
    ]
    return _DEFINITIONS.format(
        version=version_id,
        code_version=definitions.CODE_VERSION,
        key=definitions.KEY,
        meaning=definitions.schema().field(definitions.KEY).metadata[b"description"].decode(),
        view=VIEW,
        data=DATA,
        event=EVENT,
        fields="\n".join(fields),
    )


def _exported() -> list[definitions.Feature]:
    return [feature for feature in definitions.FEATURES if feature.name not in _LEFT_OUT]


def _schema() -> pa.Schema:
    import pyarrow as pa

    names = [definitions.KEY, *(feature.name for feature in _exported())]
    # without the meanings: Feast has its own
    fields = [definitions.schema().field(name).remove_metadata() for name in names]
    return pa.schema([*fields, pa.field(EVENT, pa.timestamp("us", "UTC"), nullable=False)])


def _rows(version: Version, known_since: datetime) -> Iterator[pa.Table]:
    import pyarrow as pa
    import pyarrow.compute as pc

    schema = _schema()
    for batch in version.batches(TABLE):
        since = pc.fill_null(batch.column("changed_at"), pa.scalar(known_since, schema.field(EVENT).type))
        yield pa.table([*(batch.column(name) for name in schema.names[:-1]), since], schema=schema)
