"""What the dataset stage talks to: its settings, its three sources, and the hub that it publishes to."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import dagster as dg
from pydantic import Field

from ai_stack_assets.resources.stores import PostgresResource

if TYPE_CHECKING:
    from ai_stack_assets.domain.dataset.publishing.hub import Hub
    from ai_stack_assets.domain.dataset.settings import DatasetSettings
    from ai_stack_assets.domain.dataset.sources.collect import Source


class DatasetResource(dg.ConfigurableResource):
    """`dataset.yaml` and the caches of the sources."""

    data: str = Field(description="Data folder (AI_STACK_ASSETS_DATA)")
    file: str = Field(description="AI_STACK_ASSETS_DATASET: dataset.yaml")
    ray_address: str = Field(
        default="", description="RAY_ADDRESS, for `dedupe.engine: ray`; unset: Ray on this machine"
    )

    def settings(self) -> DatasetSettings:
        from ai_stack_assets.domain.dataset.settings import load

        return load(Path(self.file))

    def cache(self, source: str) -> Path:
        return Path(self.data) / "cache" / "dataset" / source

    def work(self, name: str) -> Path:
        """A folder on this machine for files on their way: cards, downloads, what does not fit into memory."""
        folder = Path(self.data) / "work" / "dataset" / name
        folder.mkdir(parents=True, exist_ok=True)
        return folder


class DatasetSourcesResource(dg.ConfigurableResource):
    """The three sources, ready to be asked. `open(name)` gives one."""

    dataset: DatasetResource
    postgres: PostgresResource
    github_token: str = Field(default="", description="GITHUB_TOKEN")
    github_url: str = Field(default="", description="GITHUB_API_URL; unset: the public one")
    its_user: str = Field(default="", description="ITS_USER; unset: ITS is not read")
    its_password: str = Field(default="", description="ITS_PASSWORD")
    its_url: str = Field(default="", description="ITS_URL; unset: its.1c.ru")
    its_login_url: str = Field(default="", description="ITS_LOGIN_URL; unset: login.1c.ru")

    def open(self, name: str) -> Source:
        return getattr(self, f"_{name}")()

    def _postgres(self) -> Source:
        from ai_stack_assets.domain.dataset.sources import postgres as source
        from ai_stack_assets.domain.dataset.sources.collect import Source

        settings = self.dataset.settings().postgres

        def look(report: Any) -> tuple[str, Any]:
            client = self.postgres.open()
            found = source.look_postgres(client, settings, report)
            return found.key, (client, found)

        return Source(
            "postgres",
            look,
            lambda found, report: source.read_postgres(*found, settings, report),
            describe=lambda found: {"configurations": found[1].states},
        )

    def _github(self) -> Source:
        from ai_stack_assets.domain.dataset.sources import github as source
        from ai_stack_assets.domain.dataset.sources.collect import Source

        settings = replace(self.dataset.settings().github, token=self.github_token)
        settings = replace(settings, api_url=self.github_url or settings.api_url)
        folder = self.dataset.cache("github")

        def look(report: Any) -> tuple[str, Any]:
            found = source.look_github(settings, folder, report)
            return found.key, found

        is_on = settings.repositories or settings.searches
        return Source(
            "github",
            look,
            lambda found, report: source.read_github(found, settings, folder, report),
            off="" if is_on else "dataset.yaml names no repositories and no searches under github",
            describe=lambda found: {"repositories": {each.name: each.commit for each in found.repositories}},
        )

    def _its(self) -> Source:
        from ai_stack_assets.domain.dataset.sources import its as source
        from ai_stack_assets.domain.dataset.sources.collect import Source

        settings = replace(self.dataset.settings().its, user=self.its_user, password=self.its_password)
        settings = replace(
            settings,
            base_url=self.its_url or settings.base_url,
            login_url=self.its_login_url or settings.login_url,
        )
        folder = self.dataset.cache("its")

        def look(report: Any) -> tuple[str, Any]:
            found = source.look_its(settings, folder, report)
            return found.key, found

        return Source(
            "its",
            look,
            lambda found, report: source.read_its(found, settings, folder, report),
            is_slow=True,
            off="" if settings.is_on else "ITS_USER and ITS_PASSWORD are not set",
            describe=lambda found: {"articles": len(found.articles)},
        )


class HubResource(dg.ConfigurableResource):
    """The Hugging Face Hub when there is a token, else a folder in the same layout."""

    data: str = Field(description="Data folder (AI_STACK_ASSETS_DATA)")
    token: str = Field(default="", description="HF_TOKEN; unset: publish to <data>/huggingface")
    endpoint: str = Field(default="", description="HF_ENDPOINT; unset: the public Hub")

    def open(self, repository: str, *, is_private: bool = True) -> Hub:
        from ai_stack_assets.domain.dataset.publishing.folder import FolderHub
        from ai_stack_assets.domain.dataset.publishing.huggingface import HuggingFaceHub

        if self.token:
            return HuggingFaceHub(repository, self.endpoint, self.token, is_private)
        return FolderHub(Path(self.data) / "huggingface", repository)
