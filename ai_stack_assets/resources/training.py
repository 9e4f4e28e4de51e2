"""What the training stage is told: its settings, where it may leave files, and how much of the machine a fit may take."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import dagster as dg
from pydantic import Field

from ai_stack_assets.resources.configurations import ConfigurationsResource
from ai_stack_assets.resources.lake import LakeResource

if TYPE_CHECKING:
    from ai_stack_assets.domain.training.change_risk.examples import Past
    from ai_stack_assets.domain.training.pipeline import Training
    from ai_stack_assets.domain.training.settings import TrainingSettings


class TrainingResource(dg.ConfigurableResource):
    """`training.yaml`, and the stage of a week opened with it."""

    data: str = Field(description="Data folder (AI_STACK_ASSETS_DATA)")
    file: str = Field(description="AI_STACK_ASSETS_TRAINING: training.yaml")
    lake: LakeResource
    configurations: ConfigurationsResource
    time_zone: str = Field(default="UTC", description="AI_STACK_ASSETS_TIMEZONE: where days of history begin")
    fits_at_once: int = Field(
        default=1, description="Fits that run on one machine at a time and share its cores"
    )

    def settings(self) -> TrainingSettings:
        from ai_stack_assets.domain.training.settings import load

        return load(Path(self.file))

    def open(self, week: str) -> Training:
        from ai_stack_assets.domain.training.pipeline import Training

        return Training(
            self.lake.open, week, self.settings(), self.work, pasts=self.pasts, at_once=self.fits_at_once
        )

    def pasts(self) -> list[Past]:
        """Configurations that are in use and whose history is in the lake."""
        from zoneinfo import ZoneInfo

        from ai_stack_assets.domain.training.change_risk.examples import Past

        zone, found = ZoneInfo(self.time_zone), []
        for name, entry in self.configurations.entries().items():
            history = self.lake.open(f"history/{name}")
            if entry.enabled and history.configurations():
                found.append(Past(name, entry.location, history, self.lake.cache, zone, entry.path))
        return found

    def weeks(self) -> list[str]:
        """Whose dataset can be trained on, the newest first."""
        from ai_stack_assets.domain.training.pipeline import weeks_to_train

        return weeks_to_train(self.lake.open)

    @property
    def work(self) -> Path:
        """A folder on this machine for checkpoints and files on their way."""
        return Path(self.data) / "work" / "training"
