"""Choosing a vectoriser by its settings: which one writes now, and the one that wrote what readers see."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from ai_stack_assets.domain.common.failures import PermanentError, TransientError
from ai_stack_assets.domain.stores.names import slug
from ai_stack_assets.domain.vectorisers.contract import FitRecord, Vectoriser
from ai_stack_assets.domain.vectorisers.fitting import ensure_fitted
from ai_stack_assets.domain.vectorisers.models import Models
from ai_stack_assets.domain.vectorisers.two_tower import NAME as TWO_TOWER

if TYPE_CHECKING:
    from ai_stack_assets.domain.common.lake import Version
    from ai_stack_assets.domain.common.lake_bucket import Bucket
    from ai_stack_assets.domain.vectorisers.champion import Champions, Registered

CHAMPION, LSA = "champion", "lsa"
NAMES = (CHAMPION, LSA, "sentence-transformers", "openai")

_CHAMPIONS = "champion"
"""Folder, beside those of the configurations, whose names end in a hash."""


@dataclass(frozen=True)
class VectoriserSettings:
    """`name` is one of NAMES: the champion of the training stage, and LSA until there is one; LSA always; or a model from
    elsewhere, which the rest is for."""

    name: str = CHAMPION
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
        self,
        folder: Path,
        settings: VectoriserSettings | None = None,
        bucket: Bucket | None = None,
        registered: Registered | None = None,
    ) -> None:
        """Args: registered: asks the registry for its champion."""
        self.folder, self.settings, self.bucket = Path(folder), settings or VectoriserSettings(), bucket
        self._registered = registered or (lambda: None)
        if self.settings.name not in NAMES:
            raise PermanentError(
                f"VECTORISER={self.settings.name}: no such vectoriser; there are {', '.join(NAMES)}"
            )

    def ensure(self, version: Version, *, refit: bool = False) -> tuple[Vectoriser, FitRecord]:
        """The vectoriser for a version of the lake, fitted when it must be. Call before a synchronisation."""
        if self.settings.name == CHAMPION and (found := self._champion()):
            return found
        if self.is_fitted_here:
            return ensure_fitted(version, self._models(version.configuration), refit=refit)
        chosen = self._ready_made()
        return chosen, FitRecord(
            chosen.name, chosen.version, chosen.size, False, "does not learn from the corpus", 0.0, 0.0
        )

    def current(self, configuration: str) -> Vectoriser:
        """The one that `ensure` gave last."""
        if self.settings.name == CHAMPION and (champion := self._champions.current()):
            return champion
        return self._models(configuration).load() if self.is_fitted_here else self._ready_made()

    def load(self, configuration: str, name: str, version: str) -> Vectoriser:
        """The one that wrote a published space: queries must be encoded by the same."""
        if name == LSA:
            return self._models(configuration).load(version)
        if name == TWO_TOWER:
            return self._champions.load(version)
        chosen = self._ready_made() if self.settings.name == name else None
        if chosen is None or chosen.version != version:
            raise PermanentError(
                f"the vectors of {configuration} were made by {name} {version}, and VECTORISER is set to "
                "another vectoriser or model now: set it back, or synchronise the vector store"
            )
        return chosen

    @property
    def is_fitted_here(self) -> bool:
        """LSA, which is fitted on each configuration, unless a champion takes its place."""
        return self.settings.name in (CHAMPION, LSA)

    @property
    def said(self) -> str:
        """What writes vectors that are fitted here, for people."""
        if self.settings.name == LSA:
            return "lsa, fitted on each configuration"
        champion = self._champions.current()
        return f"champion {champion.version}" if champion else "lsa, until the training stage has a champion"

    def _champion(self) -> tuple[Vectoriser, FitRecord] | None:
        """The registry's champion, else the one that was in use before; None when there never was one."""
        started = time.perf_counter()
        try:
            model, reason = self._registered(), "champion of the embeddings"
        except TransientError as error:
            model, reason = None, f"the champion as before, for the registry cannot be asked: {error}"
            if self._champions.current() is None:
                raise
        chosen, is_new = self._champions.adopt(model) if model else (self._champions.current(), False)
        if chosen is None:
            return None
        seconds = round(time.perf_counter() - started, 3)
        return chosen, FitRecord(chosen.name, chosen.version, chosen.size, is_new, reason, 0.0, seconds)

    @property
    def _champions(self) -> Champions:
        from ai_stack_assets.domain.vectorisers.champion import Champions

        return Champions(self.folder / _CHAMPIONS, self.bucket and self.bucket.below(_CHAMPIONS))

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
