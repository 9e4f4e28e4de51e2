"""Where fitted models lie: on this machine, and in the bucket when machines share the lake. Not when to fit.

    <folder>/lsa-<version>.npz    one fitted model; a few are kept: what is published may be an older one
    <folder>/lsa.json             which is current

With a bucket the same two names are there, and the folder is a copy: a model's name changes with its content.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from ai_stack_assets.domain.common import files
from ai_stack_assets.domain.common.failures import PermanentError
from ai_stack_assets.domain.vectorisers.lsa import Lsa

if TYPE_CHECKING:
    from ai_stack_assets.domain.common.lake_bucket import Bucket

KEPT_MODELS = 3
_GRACE = timedelta(days=1)
"""In the bucket, where others may have looked up a model that they have not read yet."""
_CURRENT = "lsa.json"


class Models:
    """The fitted models of one configuration."""

    def __init__(self, folder: Path, bucket: Bucket | None = None) -> None:
        self.folder, self.bucket = folder, bucket

    def current(self) -> dict[str, str]:
        """`version` and `texts` (how its texts were made); empty when there is none."""
        if self.bucket:
            found = self.bucket.read(_CURRENT)
            return msgspec.json.decode(found.data) if found else {}
        path = self.folder / _CURRENT
        return msgspec.json.decode(path.read_bytes()) if path.exists() else {}

    def load(self, version: str | None = None) -> Lsa:
        """A model by its version; the current one by default. Raises PermanentError when it is not there."""
        version = version or self.current().get("version")
        path = self._path(version or "")
        if version and self.bucket and not path.exists():
            self._fetch(self.bucket, path)
        if not version or not path.exists():
            raise PermanentError(
                f"no model lsa {version or ''} in {self._place}: fit the vectoriser first, then synchronise"
            )
        return Lsa.load(path)

    def save(self, model: Lsa, texts: str) -> None:
        """Keep it and make it the current one. `texts`: how its texts were made."""
        self.folder.mkdir(parents=True, exist_ok=True)
        path, current = (
            self._path(model.version),
            msgspec.json.encode({"version": model.version, "texts": texts}),
        )
        files.replace(path, model.to_bytes())
        if self.bucket:
            self.bucket.write(path.name, path)
            self.bucket.write(_CURRENT, current)
            found = sorted(self.bucket.list(""), key=lambda o: o.modified_at, reverse=True)
            models = [o for o in found if o.key != _CURRENT][KEPT_MODELS:]
            self.bucket.delete([o.key for o in models if o.modified_at < datetime.now(UTC) - _GRACE])
        else:
            files.replace(self.folder / _CURRENT, current)
        kept = sorted(self.folder.glob("lsa-*.npz"), key=lambda p: p.stat().st_mtime_ns, reverse=True)
        for old in kept[KEPT_MODELS:]:
            old.unlink(missing_ok=True)

    @property
    def _place(self) -> str:
        return self.bucket.url if self.bucket else str(self.folder)

    def _path(self, version: str) -> Path:
        return self.folder / f"lsa-{version}.npz"

    def _fetch(self, bucket: Bucket, path: Path) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        with files.beside(path) as draft:
            bucket.download(path.name, draft)
