"""Vectors from a sentence-transformers model, by name or folder. An optional package: it brings torch."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ai_stack_assets.domain.common.failures import PermanentError
from ai_stack_assets.domain.vectorisers.contract import VERSION_LENGTH, unit

if TYPE_CHECKING:
    import numpy as np

BATCH = 32


class SentenceTransformers:
    name = "sentence-transformers"

    def __init__(self, model: str) -> None:
        if not model:
            raise PermanentError(
                "VECTORISER=sentence-transformers needs VECTORISER_MODEL: a model's name or folder"
            )
        self.model = model

    @cached_property
    def version(self) -> str:
        """Of a folder, its files; of a name, the name: what it stands for may not change under it."""
        digest = hashlib.sha256(self.model.encode())
        folder = Path(self.model)
        for path in sorted(p for p in folder.rglob("*") if p.is_file()) if folder.is_dir() else ():
            digest.update(path.relative_to(folder).as_posix().encode())
            with path.open("rb") as file:
                digest.update(hashlib.file_digest(file, "sha256").digest())
        return digest.hexdigest()[:VERSION_LENGTH]

    @property
    def size(self) -> int:
        return int(self._loaded.get_sentence_embedding_dimension())

    def encode_documents(self, texts: Sequence[str]) -> np.ndarray:
        return self._encode(texts, "encode_document")

    def encode_queries(self, texts: Sequence[str]) -> np.ndarray:
        return self._encode(texts, "encode_query")

    def _encode(self, texts: Sequence[str], method: str) -> np.ndarray:
        """Newer versions of the package know which prompt a model wants for a query and for a document."""
        import numpy as np

        encode = getattr(self._loaded, method, None) or self._loaded.encode
        vectors = encode(list(texts), batch_size=BATCH, convert_to_numpy=True, show_progress_bar=False)
        return unit(np.asarray(vectors, np.float32).reshape(len(texts), self.size))

    @cached_property
    def _loaded(self) -> Any:
        try:
            from sentence_transformers import SentenceTransformer  # ty: ignore[import-not-found]
        except ImportError as error:
            raise PermanentError(
                "VECTORISER=sentence-transformers needs a package that is not installed: "
                "`pip install sentence-transformers`, or set VECTORISER=lsa"
            ) from error
        try:
            return SentenceTransformer(self.model)
        except (OSError, ValueError) as error:
            raise PermanentError(
                f"the model {self.model!r} cannot be loaded ({error}): check VECTORISER_MODEL, a name "
                "that can be downloaded from here or a folder with the weights"
            ) from error
