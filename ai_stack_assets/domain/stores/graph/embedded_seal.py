"""Whether a graph file is as its last writer left it, by a checksum beside it; and if not, whether the engine can still
rely on it. ladybug has no checksums of its own: damage to an index would show as missing answers, not as an error."""

from __future__ import annotations

import contextlib
from collections.abc import Generator
from pathlib import Path
from typing import TYPE_CHECKING

import xxhash

from ai_stack_assets.domain.common.failures import PermanentError
from ai_stack_assets.domain.stores.graph.schema import NODE, RELATIONSHIP

if TYPE_CHECKING:
    from ai_stack_assets.domain.stores.graph.embedded import Connection

_BLOCK = 1 << 20


def beside(file: Path) -> Path:
    return file.with_name(f"{file.name}.sum")


def is_sealed(file: Path) -> bool:
    """False too for a file of an earlier release, which has no checksum. 46 MB take 0.02 s."""
    try:
        return _checksum(file) in beside(file).read_text().split()
    except FileNotFoundError:
        return False


@contextlib.contextmanager
def sealing(file: Path, draft: Path) -> Generator[None]:
    """Around the moment when the draft takes the file's place: a kill on either side of it leaves a right checksum."""
    own = beside(file)
    before = own.read_text().split()[-1:] if own.exists() else []
    new = _checksum(draft)
    _write(own, [*before, new])
    yield
    _write(own, [new])


def require_sound(file: Path, connection: Connection) -> None:
    """Somebody else has written here. Rows that they changed are found by the comparison, and put right; but every node
    must be found by its id, and every relationship from both its ends.

    Raises PermanentError when not: then no statement on this file can be trusted.
    """
    from ai_stack_assets.domain.stores.graph.embedded import REBUILD

    try:
        wrong = _unreachable(connection)
    except RuntimeError as error:
        wrong = str(error)
    if wrong:
        raise PermanentError(f"the graph file {file} is damaged ({wrong}). {REBUILD}")


def _unreachable(connection: Connection) -> str:
    def count(text: str, **parameters: object) -> int:
        return connection.table(text, **parameters)["found"][0].as_py()

    ids = {name: connection.table(f"MATCH (n:`{name}`) RETURN n.id AS id") for name in NODE}
    for name, rows in ids.items():
        found = count(f"LOAD FROM $rows MATCH (n:`{name}` {{id: `id`}}) RETURN count(n) AS found", rows=rows)
        if found != rows.num_rows:
            return f"{rows.num_rows} nodes {name}, {found} of them in the index"
    for name, relationship in RELATIONSHIP.items():
        for source, target in relationship.ends:
            forth = count(f"MATCH (:`{source}`)-[r:`{name}`]->(:`{target}`) RETURN count(r) AS found")
            back = count(
                f"LOAD FROM $rows MATCH (b:`{target}` {{id: `id`}})<-[r:`{name}`]-(:`{source}`) "
                "RETURN count(r) AS found",
                rows=ids[target],
            )
            if forth != back:
                return f"{forth} relationships {name} from {source}, {back} to {target}"
    return ""


def _checksum(file: Path) -> str:
    digest = xxhash.xxh3_128()
    with file.open("rb") as data:
        while block := data.read(_BLOCK):
            digest.update(block)
    return digest.hexdigest()


def _write(file: Path, checksums: list[str]) -> None:
    draft = file.with_name(f".{file.name}.tmp")
    draft.write_text("\n".join(checksums))
    draft.replace(file)
