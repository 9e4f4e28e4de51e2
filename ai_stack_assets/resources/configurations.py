"""`configurations.yaml`: which 1C configurations there are, and where each one's source is."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import dagster as dg
from pydantic import Field

if TYPE_CHECKING:
    from ai_stack_assets.domain.onec.configurations import ConfigurationEntry


class ConfigurationsResource(dg.ConfigurableResource):
    """The list of configurations, read anew at each use: the file may change while the platform runs."""

    file: str = Field(description="Path of configurations.yaml; relative sources start at its folder")

    def digest(self) -> str:
        """Changes when the file does."""
        from ai_stack_assets.domain.common.hashing import sha256_hex

        path = Path(self.file)
        return sha256_hex(path.read_bytes()) if path.exists() else ""

    def entries(self) -> dict[str, ConfigurationEntry]:
        """By name, in order; none without a file. Raises PermanentError naming each wrong line."""
        path = Path(self.file)
        if not path.exists():
            return {}
        from ai_stack_assets.domain.onec.configurations import load

        return {entry.name: entry for entry in load(path)}

    def pin(self, name: str) -> str | None:
        """What the configuration is held at; none when it is not listed any more."""
        entry = self.entries().get(name)
        return entry.pin if entry else None

    def entry(self, name: str) -> ConfigurationEntry:
        from ai_stack_assets.domain.common.failures import PermanentError

        entries = self.entries()
        if name not in entries:
            raise PermanentError(
                f"configuration {name!r} is not in {self.file}: add it there, or retire its partition"
            )
        return entries[name]
