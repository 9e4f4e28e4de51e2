"""The graph in ladybug, an embedded engine: which file holds a configuration, who may write it, how it is
opened.

One database file per configuration; its name tells the schema and the engine's version, so a file of another
is rebuilt beside and then removed. What is written, and how, is in `embedded_store`."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Generator
from dataclasses import dataclass
from importlib.metadata import version as installed
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from ai_stack_assets.domain.common.failures import PermanentError, TransientError
from ai_stack_assets.domain.stores.graph import schema
from ai_stack_assets.domain.stores.room import room

if TYPE_CHECKING:
    import pyarrow as pa

    from ai_stack_assets.domain.stores.graph.embedded_store import EmbeddedStore

SUFFIX = ".lbug"
REBUILD = (
    "It is made anew from the lake by: make run ARGS=--rebuild=graph (or rebuild: true in the launchpad)"
)


@dataclass(frozen=True)
class EmbeddedGraph:
    """Opens the graphs under one folder: `<folder>/<configuration>/<schema>.lbug`."""

    folder: Path
    lock_seconds: float = 600
    """How long a writer waits for another one of the same configuration."""
    memory_bytes: int = 1 << 30
    """Limit of the buffer pool, taken as needed (the engine's own default is 80% of the machine). 110,000
    nodes with 350,000 relationships need between 128 and 256 MB, six times as many between 256 and 512 MB."""
    threads: int = 2

    @contextlib.contextmanager
    def open(self, configuration: str, *, rebuild: bool = False) -> Generator[EmbeddedStore]:
        from ai_stack_assets.domain.stores.graph.embedded_store import EmbeddedStore

        with room(self.folder), self._locked(configuration):
            file = self.file(configuration)
            store = EmbeddedStore(configuration, file, self.connect, rebuild=rebuild)
            try:
                yield store
            finally:
                store.close()

    @contextlib.contextmanager
    def reader(self, configuration: str) -> Generator[EmbeddedReader]:
        """For queries: beside a writer, on the state of the last complete write.

        Raises PermanentError when the configuration was never written, or its file cannot be read.
        """
        file = self.file(configuration)
        if not file.exists():
            raise PermanentError(
                f"the graph of {configuration!r} is not in {self.folder}: synchronise it first"
            )
        connection = self.connect(file, read_only=True)
        try:
            yield EmbeddedReader(configuration, connection)
        finally:
            connection.close()

    def configurations(self) -> list[str]:
        return sorted({unquote(path.parent.name) for path in self.folder.glob(f"*/*{SUFFIX}")})

    def drop(self, configuration: str) -> None:
        with self._locked(configuration):
            for path in self.file(configuration).parent.glob(f"*{SUFFIX}*"):
                path.unlink()

    def file(self, configuration: str) -> Path:
        name = re.sub(
            r"^\.|[^\w.-]", lambda m: "".join(f"%{byte:02X}" for byte in m[0].encode()), configuration
        )
        return self.folder / name / f"{schema.fingerprint(installed('ladybug'))}{SUFFIX}"

    def connect(self, file: Path, *, read_only: bool) -> Connection:
        """Raises PermanentError naming the file when it does not hold a graph: the engine takes an empty file
        for a new database, which must not pass for an empty graph."""
        try:
            connection = Connection(file, self.memory_bytes, self.threads, read_only=read_only)
            if read_only:
                found = set(connection.table("CALL show_tables() RETURN name")["name"].to_pylist())
                if missing := schema.COLLECTIONS.keys() - found:
                    connection.close()
                    raise RuntimeError(f"it has no {', '.join(sorted(missing))}")
        except (RuntimeError, OSError) as error:
            raise PermanentError(f"the graph file {file} cannot be read: {error}. {REBUILD}") from error
        return connection

    @contextlib.contextmanager
    def _locked(self, configuration: str) -> Generator[None]:
        from filelock import FileLock, Timeout

        lock = self.file(configuration).with_name("lock")
        lock.parent.mkdir(parents=True, exist_ok=True)
        try:
            with FileLock(lock, timeout=self.lock_seconds):
                yield
        except Timeout:
            raise TransientError(
                f"another run is writing the graph of {configuration!r}: {lock} was not free within "
                f"{self.lock_seconds:g} s"
            ) from None


class Connection:
    """One open database file."""

    def __init__(self, file: Path, memory_bytes: int, threads: int, *, read_only: bool) -> None:
        import ladybug

        self._file, self._memory_bytes = file, memory_bytes
        self._database = ladybug.Database(
            file, read_only=read_only, buffer_pool_size=memory_bytes, max_num_threads=threads
        )
        try:
            self._connection = ladybug.Connection(self._database)
        except BaseException:
            self._database.close()
            raise

    def execute(self, statement: str, **parameters: Any) -> None:
        self._run(statement, parameters).close()

    def table(self, statement: str, **parameters: Any) -> pa.Table:
        with self._run(statement, parameters) as result:
            return result.get_as_arrow()

    def _run(self, statement: str, parameters: dict[str, Any]) -> Any:
        try:
            return self._connection.execute(statement, parameters)
        except RuntimeError as error:
            if "buffer pool is full" not in str(error):
                raise
            raise PermanentError(
                f"{self._file}: {self._memory_bytes} bytes of memory are too few ({error})"
            ) from error

    def close(self) -> None:
        self._connection.close()
        self._database.close()


class EmbeddedReader:
    """Runs the texts of `queries`."""

    def __init__(self, configuration: str, connection: Connection) -> None:
        self._configuration, self._connection = configuration, connection

    def rows(self, text: str, **parameters: Any) -> list[dict[str, Any]]:
        return self._connection.table(text, configuration=self._configuration, **parameters).to_pylist()
