"""Choosing a vectoriser by its settings: which one writes now, and the one that wrote what readers see."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from ai_stack_assets.domain.common.failures import PermanentError
from ai_stack_assets.domain.stores.names import slug
from ai_stack_assets.domain.vectorisers.contract import FitRecord, Vectoriser
from ai_stack_assets.domain.vectorisers.fitting import ensure_fitted
from ai_stack_assets.domain.vectorisers.models import Models

if TYPE_CHECKING:
    from ai_stack_assets.domain.common.lake import Version
    from ai_stack_assets.domain.common.lake_bucket import Bucket

NAMES = ("lsa", "sentence-transformers", "openai")


@dataclass(frozen=True)
class VectoriserSettings:
    """`name` is one of NAMES. The rest is for those that do not learn from the corpus."""

    name: str = "lsa"
    model: str = ""
    """Model name at the endpoint, or name or folder of a sentence-transformers model."""
    base_url: str = "https://api.openai.com/v1"
    api_key: str = field(default="", repr=False)
    dimensions: int | None = None
    """Size to ask the endpoint for; the model's own when None."""


class Vectorisers:
    """All vectorisers of all configurations, with what they keep under one folder (`<data>/vectorisers`).

    Fitted models are in `bucket` when machines share the lake; vectors that were paid for stay on the machine.
    """

    def __init__(
        self, folder: Path, settings: VectoriserSettings | None = None, bucket: Bucket | None = None
    ) -> None:
        self.folder, self.settings, self.bucket = Path(folder), settings or VectoriserSettings(), bucket
        if self.settings.name not in NAMES:
            raise PermanentError(
                f"VECTORISER={self.settings.name}: no such vectoriser; there are {', '.join(NAMES)}"
            )

    def ensure(self, version: Version, *, refit: bool = False) -> tuple[Vectoriser, FitRecord]:
        """The vectoriser for a version of the lake, fitted when it must be. Call before a synchronisation."""
        if self.settings.name == "lsa":
            return ensure_fitted(version, self._models(version.configuration), refit=refit)
        chosen = self._ready_made()
        return chosen, FitRecord(
            chosen.name, chosen.version, chosen.size, False, "does not learn from the corpus", 0.0, 0.0
        )

    def current(self, configuration: str) -> Vectoriser:
        """The one that `ensure` gave last."""
        return self._models(configuration).load() if self.settings.name == "lsa" else self._ready_made()

    def load(self, configuration: str, name: str, version: str) -> Vectoriser:
        """The one that wrote a published space: queries must be encoded by the same."""
        if name == "lsa":
            return self._models(configuration).load(version)
        chosen = self._ready_made() if self.settings.name == name else None
        if chosen is None or chosen.version != version:
            raise PermanentError(
                f"the vectors of {configuration} were made by {name} {version}, and VECTORISER is set to "
                "another vectoriser or model now: set it back, or synchronise the vector store"
            )
        return chosen

    def _models(self, configuration: str) -> Models:
        name = slug(configuration)
        return Models(self.folder / name, self.bucket and self.bucket.below(name))

    def _ready_made(self) -> Vectoriser:
        from ai_stack_assets.domain.vectorisers.cache import Cached

        if self.settings.name == "openai":
            from ai_stack_assets.domain.vectorisers.openai_compatible import OpenAiCompatible

            chosen: Vectoriser = OpenAiCompatible(self.settings)
        else:
            from ai_stack_assets.domain.vectorisers.sentence_transformers import SentenceTransformers

            chosen = SentenceTransformers(self.settings.model)
        return Cached(chosen, self.folder)
