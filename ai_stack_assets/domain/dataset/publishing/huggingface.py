"""A dataset repository on the Hugging Face Hub, or on any server that speaks its API (HF_ENDPOINT).

One `create_commit` with `parent_commit` per revision: `upload_folder` sends several commits when files are stored by Xet, and a
reader could see half a dataset between them.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from ai_stack_assets.domain.common.failures import PermanentError, TransientError
from ai_stack_assets.domain.dataset.publishing.hub import MAIN, Head, StaleParent

if TYPE_CHECKING:
    from huggingface_hub import HfApi

T = TypeVar("T")
_TRIES = 4
_FIRST_WAIT = 1.0
"""Seconds, doubled each time; a cut connection is usually back by then, and the step is retried after that."""


class HuggingFaceHub:
    """Args:
    repository: `owner/name`.
    endpoint: address of the Hub; empty for the public one.
    token: with write access.
    is_private: of a repository that does not exist yet.
    """

    def __init__(self, repository: str, endpoint: str = "", token: str = "", is_private: bool = True) -> None:
        self.repository = repository
        self._endpoint, self._token, self._is_private = endpoint, token, is_private

    def head(self, revision: str) -> Head | None:
        from huggingface_hub.errors import RepositoryNotFoundError, RevisionNotFoundError
        from huggingface_hub.hf_api import RepoFile

        try:
            with self._said():
                info = self._retried(
                    lambda: self._api.repo_info(self.repository, repo_type="dataset", revision=revision)
                )
                tree = self._retried(
                    lambda: list(
                        self._api.list_repo_tree(
                            self.repository, repo_type="dataset", revision=info.sha, recursive=True
                        )
                    )
                )
        except (RepositoryNotFoundError, RevisionNotFoundError):
            return None
        files = {f.path: f.lfs.sha256 if f.lfs else f.blob_id for f in tree if isinstance(f, RepoFile)}
        return Head(str(info.sha), files)

    def commit(
        self, branch: str, parent: Head | None, files: Mapping[str, Path], removed: list[str], message: str
    ) -> str:
        """Large files travel first and are no part of any revision until the commit: a kill leaves nothing visible.

        A commit whose answer was lost is not sent again: `publish` reads the head anew and finds it there or not.
        """
        from huggingface_hub import CommitOperationAdd, CommitOperationDelete
        from huggingface_hub.errors import HfHubHTTPError

        with self._said():
            if parent is None:
                # what the hub has put there itself, or copied from the main branch, must be compared first
                self._create(branch)
                raise StaleParent
            additions = [CommitOperationAdd(name, str(path)) for name, path in sorted(files.items())]
            self._retried(
                lambda: self._api.preupload_lfs_files(
                    self.repository, additions, repo_type="dataset", revision=branch
                )
            )
            try:
                made = self._api.create_commit(
                    self.repository,
                    [*additions, *(CommitOperationDelete(name) for name in removed)],
                    commit_message=message,
                    repo_type="dataset",
                    revision=branch,
                    parent_commit=parent.commit,
                )
            except HfHubHTTPError as error:
                if _status(error) in (409, 412):
                    raise StaleParent from error
                raise
            except Exception as error:
                if _is_connection(error):
                    raise StaleParent from error
                raise
        return made.oid

    def tag(self, name: str, commit: str) -> None:
        with self._said():
            at = self._tags()
            if at.get(name) == commit:
                return
            if name in at:
                self._retried(lambda: self._api.delete_tag(self.repository, tag=name, repo_type="dataset"))
            self._retried(
                lambda: self._api.create_tag(
                    self.repository, tag=name, revision=commit, repo_type="dataset", exist_ok=True
                )
            )

    def tags(self) -> list[str]:
        from huggingface_hub.errors import RepositoryNotFoundError

        try:
            with self._said():
                return sorted(self._tags())
        except RepositoryNotFoundError:
            return []

    def _tags(self) -> dict[str, str]:
        refs = self._retried(lambda: self._api.list_repo_refs(self.repository, repo_type="dataset"))
        return {tag.name: tag.target_commit for tag in refs.tags}

    def download(self, revision: str, folder: Path) -> Path:
        from huggingface_hub.errors import RevisionNotFoundError

        with self._said():
            try:
                self._retried(
                    lambda: self._api.snapshot_download(
                        self.repository,
                        repo_type="dataset",
                        revision=revision,
                        local_dir=folder,
                        force_download=True,
                    )
                )
            except RevisionNotFoundError as error:
                raise PermanentError(
                    f"{self.repository} has no branch, tag or commit {revision!r}"
                ) from error
        return folder

    def url(self, commit: str) -> str:
        return f"{self._api.endpoint}/datasets/{self.repository}/tree/{commit}"

    @property
    def _api(self) -> HfApi:
        from huggingface_hub import HfApi

        return HfApi(endpoint=self._endpoint or None, token=self._token or False)

    def _create(self, branch: str) -> None:
        """The repository and the branch, as the Hub makes them: with a first commit of its own."""
        self._retried(
            lambda: self._api.create_repo(
                self.repository, repo_type="dataset", private=self._is_private, exist_ok=True
            )
        )
        if branch != MAIN:
            self._retried(
                lambda: self._api.create_branch(
                    self.repository, branch=branch, repo_type="dataset", exist_ok=True
                )
            )

    @property
    def _name(self) -> str:
        return f"Hugging Face Hub {self._api.endpoint} (HF_ENDPOINT)"

    def _retried(self, call: Callable[[], T]) -> T:
        """For calls that may be repeated without harm."""
        for attempt in range(_TRIES):
            try:
                return call()
            except Exception as error:
                if attempt == _TRIES - 1 or not (_is_connection(error) or _is_busy(error)):
                    raise
                time.sleep(_retry_after(error) or _FIRST_WAIT * 2**attempt)
        raise AssertionError

    @contextlib.contextmanager
    def _said(self) -> Iterator[None]:
        """The hub's failures as permanent or transient ones, with the setting's name."""
        from huggingface_hub.errors import HfHubHTTPError, RepositoryNotFoundError, RevisionNotFoundError

        try:
            yield
        except (PermanentError, TransientError, StaleParent, RevisionNotFoundError):
            raise
        except HfHubHTTPError as error:
            status = _status(error)
            if isinstance(error, RepositoryNotFoundError) and status != 401:
                raise
            if status in (401, 403):
                raise PermanentError(
                    f"{self._name} refuses the token (HF_TOKEN) for {self.repository}: {error}"
                ) from error
            if status and status < 500 and status != 429:
                raise PermanentError(
                    f"{self._name} refuses {self.repository} (name in dataset.yaml): {error}"
                ) from error
            raise TransientError(f"{self._name} does not answer: {error}") from error
        except Exception as error:
            if _is_connection(error):
                raise TransientError(f"{self._name} cannot be reached: {error}") from error
            raise


def _status(error: Exception) -> int:
    return getattr(getattr(error, "response", None), "status_code", 0) or 0


def _is_busy(error: Exception) -> bool:
    return _status(error) == 429 or _status(error) >= 500


def _is_connection(error: Exception) -> bool:
    import httpx2

    return isinstance(error, (httpx2.TransportError, ConnectionError, TimeoutError)) and not _status(error)


def _retry_after(error: Exception) -> float:
    """Seconds that the server asks for, at most a minute."""
    response = getattr(error, "response", None)
    value = response.headers.get("retry-after", "") if response is not None else ""
    return min(float(value), 60.0) if value.isdigit() else 0.0
