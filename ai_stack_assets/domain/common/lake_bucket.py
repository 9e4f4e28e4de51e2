"""One prefix of a bucket in object storage (S3 and what speaks like it, Google, Azure): read, write, replace, list, delete.

Only what a lake needs, with failures told apart: a setting to change, or a server to wait for. No layout here.
`obstore` does the talking: one Rust wheel without dependencies that retries 5xx, 429 and broken connections with back-off
and has conditional writes, which fsspec's interface has not. It reads AWS_*, GOOGLE_* and AZURE_* itself, as their own tools do.
"""

from __future__ import annotations

import builtins
import contextlib
import hashlib
import re
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, cast

from ai_stack_assets.domain.common.failures import PermanentError, TransientError

if TYPE_CHECKING:
    from obstore import UpdateVersion
    from obstore.store import ClientConfig, ObjectStore, RetryConfig

SETTING = "LAKE_URL"
_CREDENTIALS = {
    "s3": "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY (or the pod's role)",
    "gs": "GOOGLE_APPLICATION_CREDENTIALS (or the pod's service account)",
    "az": "AZURE_STORAGE_ACCOUNT_NAME and AZURE_STORAGE_ACCOUNT_KEY (or the pod's identity)",
}
_ENDPOINTS = {"s3": "AWS_ENDPOINT_URL and AWS_REGION", "gs": SETTING, "az": SETTING}

MAX_RETRIES = 6
RETRY_SECONDS = 60
"""Per request, then the step's own retries begin. Back-off doubles from 0.1 s."""
_CHUNK = 4 << 20
_ASKS_THE_MACHINE = re.compile(r"169\.254\.|metadata\.google|/latest/(api|meta-data)")
"""Where credentials come from when no setting gives any."""
_STATUS = re.compile(r"status code: (\d{3})")
_TEMPORARY, _DENIED = ("408", "429"), ("401", "403")


class Conflict(Exception):
    """Somebody else replaced the object since it was read."""


class Stored(NamedTuple):
    data: bytes
    tag: UpdateVersion
    """What identifies this state of the object, for `replace`."""


class Listed(NamedTuple):
    key: str
    size: int
    modified_at: datetime


@dataclass(frozen=True)
class Bucket:
    """`url`: `s3://bucket/prefix`, `gs://…` or `az://…`. Keys are relative to it. Opens nothing until it is used."""

    url: str

    def __post_init__(self) -> None:
        if self._scheme not in _CREDENTIALS or not self.url.partition("://")[2].strip("/"):
            known = ", ".join(f"{scheme}://bucket/prefix" for scheme in _CREDENTIALS)
            raise PermanentError(f"{SETTING}={self.url}: no such kind of storage; give {known}")

    def below(self, *names: str) -> Bucket:
        return Bucket("/".join([self.url.rstrip("/"), *names]))

    def read(self, key: str) -> Stored | None:
        """The object, or None when it is not there."""
        with self._failures():
            try:
                found = self._client.get(key)
                data = bytes(found.bytes())
            except FileNotFoundError as error:
                self._require_bucket(error)
                return None
            tags = {name: found.meta[name] for name in ("e_tag", "version") if found.meta[name]}
            return Stored(data, cast("UpdateVersion", tags))

    def download(self, key: str, target: Path) -> str | None:
        """Stream into a file; its SHA-256, or None when the object is not there."""
        with self._failures():
            try:
                found = self._client.get(key)
            except FileNotFoundError as error:
                self._require_bucket(error)
                return None
            digest = hashlib.sha256()
            with target.open("wb") as file:
                for chunk in found.stream(_CHUNK):
                    digest.update(chunk)
                    file.write(chunk)
            return digest.hexdigest()

    def write(self, key: str, data: bytes | Path) -> None:
        with self._failures(), contextlib.ExitStack() as stack:
            content = stack.enter_context(data.open("rb")) if isinstance(data, Path) else data
            try:
                self._client.put(key, content)
            except FileNotFoundError as error:
                self._require_bucket(error)
                raise

    def replace(self, key: str, data: bytes, seen: UpdateVersion | None) -> None:
        """Write only if the object is still the one that was seen (None: not there). Raises Conflict."""
        from obstore.exceptions import AlreadyExistsError, PreconditionError

        with self._failures():
            try:
                self._client.put(key, data, mode=seen or "create")
            except (AlreadyExistsError, PreconditionError) as error:
                self._require_bucket(error)
                raise Conflict(key) from error
            except FileNotFoundError as error:
                self._require_bucket(error)
                raise Conflict(key) from error

    def list(self, prefix: str) -> builtins.list[Listed]:
        with self._failures():
            pages = self._client.list(prefix)
            return [Listed(o["path"], o["size"], o["last_modified"]) for page in pages for o in page]

    def delete(self, keys: Sequence[str]) -> None:
        """What is not there is no fault."""
        with self._failures(), contextlib.suppress(FileNotFoundError):
            if keys:
                self._client.delete(keys)

    def verify(self) -> None:
        """Raises PermanentError unless writing, deleting and conditions work here: all that a lake stands on."""
        key = f"probe-{uuid.uuid4().hex}"
        self.replace(key, b"", None)
        try:
            self.replace(key, b"", None)
        except Conflict:
            return
        finally:
            self.delete([key])
        raise PermanentError(
            f"{SETTING}={self.url}: this storage ignores conditional writes (If-None-Match, If-Match), so one publisher "
            "could overwrite another's work unnoticed: take one that has them"
        )

    @property
    def _scheme(self) -> str:
        return self.url.partition("://")[0]

    @cached_property
    def _client(self) -> ObjectStore:
        from obstore.store import from_url

        retry: RetryConfig = {"max_retries": MAX_RETRIES, "retry_timeout": timedelta(seconds=RETRY_SECONDS)}
        # plain HTTP only where the endpoint's own address says so
        client: ClientConfig = {
            "allow_http": True,
            "connect_timeout": "5s",
            "read_timeout": "30s",
            "timeout": "10m",
        }
        return from_url(self.url, client_options=client, retry_config=retry)

    def __getstate__(self) -> dict[str, str]:
        return {"url": self.url}

    def _require_bucket(self, error: Exception) -> None:
        if "NoSuchBucket" in str(error) or "BucketNotFound" in str(error):
            raise PermanentError(
                f"the bucket of {SETTING}={self.url} does not exist: make it, or correct {SETTING}"
            ) from error

    @contextlib.contextmanager
    def _failures(self) -> Iterator[None]:
        from obstore.exceptions import BaseError

        try:
            yield
        except BaseError as error:
            raise self._told_apart(error) from error

    def _told_apart(self, error: Exception) -> Exception:
        from obstore.exceptions import PermissionDeniedError, UnauthenticatedError

        said = str(error).partition("\n\nDebug source")[0].strip()
        place, credentials, endpoint = (
            f"{SETTING}={self.url}",
            _CREDENTIALS[self._scheme],
            _ENDPOINTS[self._scheme],
        )
        status = _STATUS.search(said)
        self._require_bucket(error)
        if isinstance(error, PermissionDeniedError | UnauthenticatedError) or (
            status and status[1] in _DENIED
        ):
            return PermanentError(
                f"{place}: access denied; check {credentials}, and that they may read, write, list and delete: {said}"
            )
        if _ASKS_THE_MACHINE.search(said) or "Missing" in said:
            return PermanentError(f"{place}: there are no credentials; set {credentials}: {said}")
        if "region" in said or (status and status[1][0] in "34" and status[1] not in _TEMPORARY):
            return PermanentError(f"{place}: the request was refused; check {endpoint}: {said}")
        return TransientError(
            f"{place}: the object storage does not answer as it should ({endpoint}): {said}"
        )
