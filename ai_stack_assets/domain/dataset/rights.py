"""What may be done with a source's rows now: today's opt-outs and rights, applied to snapshots of any week.

A snapshot keeps what was allowed when it was read. Who opts out later, or takes a permission back, is heeded by every rebuild.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from ai_stack_assets.domain.dataset import records
from ai_stack_assets.domain.dataset.sources.github_settings import is_opted_out
from ai_stack_assets.domain.dataset.sources.licences import is_allowed

if TYPE_CHECKING:
    import pyarrow as pa

    from ai_stack_assets.domain.common.lake import Version
    from ai_stack_assets.domain.dataset.settings import DatasetSettings

_NEEDED = ("source", "repository", "licence", "is_publishable")


class Allowed:
    """A snapshot without the rows of those who opted out, and with `is_publishable` only where that holds today."""

    def __init__(self, version: Version, settings: DatasetSettings) -> None:
        self._version, self._settings = version, settings
        self._known: dict[tuple[str, str, str], tuple[bool, bool]] = {}

    def batches(
        self, table: str, columns: Sequence[str] | None = None, rows: int = 8192
    ) -> Iterator[pa.RecordBatch]:
        """As a version's, with the columns in the order that was asked for."""
        import pyarrow as pa

        wanted = list(columns or records.COLUMNS)
        for batch in self._version.batches(table, list(dict.fromkeys([*wanted, *_NEEDED])), rows):
            places = zip(*(batch[name].to_pylist() for name in _NEEDED[:3]), strict=True)
            rights = [self._rights(*place) for place in places]
            may = [
                before and now
                for before, (_, now) in zip(batch["is_publishable"].to_pylist(), rights, strict=True)
            ]
            position = batch.schema.get_field_index("is_publishable")
            batch = batch.set_column(position, batch.schema.field(position), pa.array(may, pa.bool_()))
            yield batch.filter(pa.array([stays for stays, _ in rights], pa.bool_())).select(wanted)

    def _rights(self, source: str, repository: str, licence: str) -> tuple[bool, bool]:
        """Whether a row may stay, and whether it may be published."""
        place = (source, repository, licence)
        if place not in self._known:
            self._known[place] = self._find(*place)
        return self._known[place]

    def _find(self, source: str, repository: str, licence: str) -> tuple[bool, bool]:
        settings = self._settings
        if source == records.POSTGRES:
            return True, settings.postgres.rights_of(repository).is_publishable
        if source == records.ITS:
            return True, settings.its.is_publishable
        stays = not is_opted_out(repository, settings.github.opted_out)
        return stays, stays and is_allowed(licence, settings.github.allowed_licences)


def key(settings: DatasetSettings) -> dict[str, Any]:
    """What of the settings decides: part of the merged version's key."""
    github, postgres = settings.github, settings.postgres
    rights = {name: [r.licence, r.is_publishable] for name, r in sorted(postgres.rights.items())}
    default = [postgres.default_rights.licence, postgres.default_rights.is_publishable]
    return {
        "opted_out": sorted(github.opted_out),
        "allowed_licences": sorted(github.allowed_licences),
        "rights": rights,
        "default_rights": default,
        "its": settings.its.is_publishable,
    }
