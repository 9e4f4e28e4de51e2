"""Where the champion of the embeddings comes from, and where it is kept for those that write and ask the vector store.

    <folder>/<version>/two_tower.npz      of this vectoriser version; a few are kept: what is published may be an older one
    <folder>/champion.json                which one is in use

MLflow is asked only before a synchronisation; queries read the copy. With a bucket the same names are there.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from ai_stack_assets.domain.common import files
from ai_stack_assets.domain.common.failures import PermanentError
from ai_stack_assets.domain.training.embeddings.two_tower import FILE, TwoTower
from ai_stack_assets.domain.vectorisers.two_tower import TwoTowerVectoriser

if TYPE_CHECKING:
    from ai_stack_assets.domain.common.lake_bucket import Bucket

KEPT = 5
_CURRENT = "champion.json"
TASK, ALIAS = "embeddings", "champion"
Registered = Callable[[], TwoTower | None]
"""The champion in the registry; None when there is none."""


def registered(folder: Path, url: str = "", prefix: str = "bsl-") -> TwoTower | None:
    """Ask MLflow. Where nobody has ever trained, there is no database, and MLflow is not even imported.

    Args:
        folder, url, prefix: as `registry.Tracking` and `registry.Registry` have them.

    Raises:
        TransientError, PermanentError: MLflow cannot be reached, or the champion's files are damaged.
    """
    from ai_stack_assets.domain.training.registry import aliases, loading
    from ai_stack_assets.domain.training.registry.tracking import SQLITE, Tracking

    if not url and not (folder / SQLITE).exists():
        return None
    tracking = Tracking(folder, url)
    with tracking.open() as client:
        found = aliases.by_alias(client, prefix + TASK, ALIAS)
        if found is None:
            return None
        model = loading.files(client, folder / "models", tracking.uri, found)
    return TwoTower.load(loading.saved_model(model))


class Champions:
    """Champions that were adopted, one of them current."""

    def __init__(self, folder: Path, bucket: Bucket | None = None) -> None:
        self.folder, self.bucket = folder, bucket

    def current(self) -> TwoTowerVectoriser | None:
        """The one adopted last; None when there never was one."""
        version = self._current()
        return self.load(version) if version else None

    def load(self, version: str) -> TwoTowerVectoriser:
        """Raises PermanentError when this version is not kept any more."""
        path = self._path(version)
        if self.bucket and not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            with files.beside(path) as draft:
                self.bucket.download(f"{version}/{FILE}", draft)
        if not path.exists():
            raise PermanentError(f"no champion {version} in {self.folder}: synchronise the vector store")
        return TwoTowerVectoriser(TwoTower.load(path.parent))

    def adopt(self, model: TwoTower) -> tuple[TwoTowerVectoriser, bool]:
        """Keep it and make it current. Returns it, and whether it was not current before."""
        vectoriser = TwoTowerVectoriser(model)
        is_new = vectoriser.version != self._current()
        path = self._path(vectoriser.version)
        if is_new or not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            files.replace(path, model.to_bytes())
            said = msgspec.json.encode({"version": vectoriser.version})
            if self.bucket:
                self.bucket.write(f"{vectoriser.version}/{FILE}", path)
                self.bucket.write(_CURRENT, said)
            files.replace(self.folder / _CURRENT, said)
        self._forget()
        return vectoriser, is_new

    def _current(self) -> str:
        if self.bucket:
            found = self.bucket.read(_CURRENT)
            data = found.data if found else b""
        else:
            path = self.folder / _CURRENT
            data = path.read_bytes() if path.exists() else b""
        return msgspec.json.decode(data)["version"] if data else ""

    def _forget(self) -> None:
        """On this machine alone: in the bucket others may look up any of them, and they are few."""
        kept = sorted(self.folder.glob(f"*/{FILE}"), key=lambda p: p.stat().st_mtime_ns, reverse=True)
        for old in kept[KEPT:]:
            old.unlink(missing_ok=True)

    def _path(self, version: str) -> Path:
        return self.folder / version / FILE
