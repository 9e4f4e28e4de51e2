"""PostgreSQL `ml.model_registry`: one row per decision about a model, whoever took it. Which model is in use is MLflow's to say.

Rows are only ever added. What MLflow knows and the table does not is added by the next run: see `registry`.
"""

from __future__ import annotations

import contextlib
from collections.abc import Generator, Mapping
from dataclasses import dataclass, field, fields
from datetime import datetime
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from psycopg import Connection

Action = Literal["promoted", "staged", "kept", "refused", "rolled_back", "moved_outside"]


@dataclass(frozen=True)
class Row:
    """`champion_after` is the version in use after the decision; None: none is."""

    id: str
    """The run and the moment of the decision: it is written once."""
    model: str
    action: Action
    """promoted: became champion · staged: became challenger · kept: the champion stays · refused: MLflow or the model's files
    did not allow it · rolled_back: the champion before is champion again · moved_outside: somebody moved the alias."""
    decided_at: datetime
    champion_before: int | None
    champion_after: int | None
    reason: str
    outcome: str | None = None
    """What the gates said; None for what people did."""
    version: int | None = None
    """That was decided about; None when it was not registered."""
    run_id: str | None = None
    metric: str | None = None
    value: float | None = None
    champion_value: float | None = None
    difference_low: float | None = None
    difference_high: float | None = None
    gates: list[dict[str, Any]] = field(default_factory=list)
    metrics: Mapping[str, float | None] = field(default_factory=dict)
    dataset_revision: str = ""
    git_commit: str = ""
    decided_by: str = ""
    """A person or a job, for what was done by hand."""


_COLUMNS = tuple(column.name for column in fields(Row))
_JSON = ("gates", "metrics")


class Decisions:
    """`postgres`: `stores.postgres.client.Postgres` or the embedded one."""

    def __init__(self, postgres: Any) -> None:
        self._postgres = postgres

    @contextlib.contextmanager
    def locked(self, model: str) -> Generator[Rows]:
        """One process at a time decides about a model; a dead one frees its lock.

        Raises TransientError and PermanentError of PostgreSQL.
        """
        with self._postgres.connected() as connection:
            connection.execute("SELECT pg_advisory_lock(hashtextextended(%s, 2))", [model])
            yield Rows(connection, model)

    def of(self, model: str) -> list[Row]:
        """The oldest first."""
        with self._postgres.connected() as connection:
            return Rows(connection, model).all()


class Rows:
    """The rows of one model."""

    def __init__(self, connection: Connection, model: str) -> None:
        self._connection, self._model = connection, model

    def all(self) -> list[Row]:
        from psycopg.rows import class_row

        with self._connection.cursor(row_factory=class_row(Row)) as cursor:
            query = f"SELECT {', '.join(_COLUMNS)} FROM ml.model_registry WHERE model = %s ORDER BY number"
            return cursor.execute(query.encode(), [self._model]).fetchall()

    def add(self, row: Row) -> Row:
        """Nothing happens when it is there already."""
        from psycopg.types.json import Jsonb

        values = [Jsonb(getattr(row, name)) if name in _JSON else getattr(row, name) for name in _COLUMNS]
        places = ", ".join(["%s"] * len(_COLUMNS))
        query = f"INSERT INTO ml.model_registry ({', '.join(_COLUMNS)}) VALUES ({places}) ON CONFLICT (id) DO NOTHING"
        self._connection.execute(query.encode(), values)
        return row


class Unreachable(Rows):
    """Stands in for the table while PostgreSQL is away: nothing is known, nothing is written."""

    def __init__(self) -> None:
        pass

    def all(self) -> list[Row]:
        return []

    def add(self, row: Row) -> Row:
        return row
