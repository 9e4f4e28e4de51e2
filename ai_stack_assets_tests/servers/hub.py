"""A double of the Hugging Face Hub over HTTP: dataset repositories with branches, tags, LFS and Xet uploads; faults on demand.

Answers as the real one does to `huggingface_hub`: repos, preupload, LFS batch, Xet tokens, commits with a parent, refs, tree,
resolve. State is in memory.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from ai_stack_assets_tests.servers.http import HttpDouble, Request

TOKEN = "hf_test"
_LARGE = 10 * 2**20
_TEXTS = (".md", ".json", ".jsonl", ".txt", ".yaml", ".gitattributes")


@dataclass
class Repository:
    is_private: bool
    branches: dict[str, str]
    tags: dict[str, str] = field(default_factory=dict)
    trees: dict[str, dict[str, dict[str, Any]]] = field(default_factory=dict)
    commits: list[str] = field(default_factory=list)
    """Ids of all commits, oldest first."""

    def find(self, revision: str) -> str | None:
        commit = self.branches.get(revision) or self.tags.get(revision) or revision
        return commit if commit in self.trees else None


@dataclass
class Hub(HttpDouble):
    """What the double holds, and the faults to inject."""

    xet_folder: Path | None = None
    """Where Xet uploads go; LFS is used without."""
    repositories: dict[str, Repository] = field(default_factory=dict)
    large: dict[str, bytes] = field(default_factory=dict)
    requests: list[str] = field(default_factory=list)
    faults: list[tuple[str, Any]] = field(default_factory=list)
    """(regular expression of `METHOD path`, status code | "cut before" | "cut after" | a callable), each used once."""

    def __post_init__(self) -> None:
        super().__init__()
        self._lock = threading.Lock()

    def fault(self, line: str) -> Any:
        for number, (pattern, what) in enumerate(self.faults):
            if re.search(pattern, line):
                del self.faults[number]
                return what
        return None

    def respond(self, request: Request) -> None:
        path, body = unquote(urlsplit(request.path).path), request.body()
        line = f"{request.command} {path}"
        self.requests.append(line)
        fault = self.fault(line)
        if isinstance(fault, int):
            return request.send(fault, {"error": "injected"}, {"Retry-After": "0"} if fault == 429 else {})
        if fault == "cut before":
            return request.cut()
        if callable(fault):
            fault(self)
        try:
            answer = self._answer(request, path, body)
        except _Refused as error:
            headers = {"X-Error-Code": error.code, "X-Error-Message": error.message}
            return request.send(error.status, {"error": error.message}, headers)
        return request.cut() if fault == "cut after" else request.send(*answer)

    # ---- answers: (status, content, headers)

    def _answer(self, request: Request, path: str, body: bytes) -> tuple:
        if match := re.fullmatch(r"/_lfs/(\w+)", path):
            return (self._verify if request.command == "POST" else self._take)(match[1], body)
        if path.startswith("/api/") and request.headers.get("authorization") != f"Bearer {TOKEN}":
            raise _Refused(401, "Unauthorized", "Invalid username or password.")
        if path == "/api/whoami-v2":
            return 200, {
                "type": "user",
                "name": "tester",
                "orgs": [],
                "auth": {"accessToken": {"role": "write"}},
            }
        if path == "/api/validate-yaml":
            return 200, {"errors": [], "warnings": []}
        if path == "/api/repos/create":
            return self._create(json.loads(body))
        if match := re.fullmatch(r"/datasets/([^/]+/[^/]+)\.git/info/lfs/objects/batch", path):
            return self._batch(json.loads(body))
        if match := re.fullmatch(r"/api/datasets/([^/]+/[^/]+?)(?:/([\w-]+)(?:/([^/]+))?(?:/(.*))?)?", path):
            name, verb, revision, _ = match.groups()
            answer = getattr(self, f"_do_{(verb or 'revision').replace('-', '_')}", None)
            if answer is None:
                raise _Refused(404, "NotFound", path)
            return answer(self._repository(name), revision or "main", body)
        if match := re.fullmatch(r"/datasets/([^/]+/[^/]+)/resolve/([^/]+)/(.+)", path):
            return self._resolve(self._repository(match[1]), match[2], match[3])
        raise _Refused(404, "NotFound", path)

    def _repository(self, name: str) -> Repository:
        if name not in self.repositories:
            raise _Refused(404, "RepoNotFound", "Repository not found")
        return self.repositories[name]

    def _commit_of(self, repository: Repository, revision: str) -> str:
        commit = repository.find(revision)
        if commit is None:
            raise _Refused(404, "RevisionNotFound", f"Invalid rev id: {revision}")
        return commit

    def _create(self, wanted: dict[str, Any]) -> tuple:
        name = f"{wanted.get('organization') or 'tester'}/{wanted['name']}"
        url = f"{self.url}/datasets/{name}"
        if name in self.repositories:
            return 409, {"error": "You already created this dataset repo", "url": url}
        content = b"*.parquet filter=lfs diff=lfs merge=lfs -text\n"
        tree = {".gitattributes": {"data": content, "size": len(content), "oid": _git_id(content)}}
        first = hashlib.sha1(name.encode()).hexdigest()
        is_private = wanted.get("visibility") == "private" or wanted.get("private", False)
        self.repositories[name] = Repository(is_private, {"main": first}, {}, {first: tree}, [first])
        return 200, {"url": url, "name": name, "id": "x"}

    def _do_revision(self, repository: Repository, revision: str, _: bytes) -> tuple:
        commit = self._commit_of(repository, revision)
        files = [{"rfilename": path} for path in sorted(repository.trees[commit])]
        facts = {"_id": "x", "id": "x/x", "sha": commit, "private": repository.is_private, "siblings": files}
        return 200, {**facts, "tags": [], "downloads": 0, "likes": 0}

    def _do_tree(self, repository: Repository, revision: str, _: bytes) -> tuple:
        tree = repository.trees[self._commit_of(repository, revision)]
        return 200, [_entry(path, file) for path, file in sorted(tree.items())]

    def _do_paths_info(self, repository: Repository, revision: str, body: bytes) -> tuple:
        wanted = json.loads(body)["paths"] if body[:1] == b"{" else parse_qs(body.decode())["paths"]
        tree = repository.trees[self._commit_of(repository, revision)]
        return 200, [_entry(path, tree[path]) for path in wanted if path in tree]

    def _do_refs(self, repository: Repository, _: str, __: bytes) -> tuple:
        def refs(kind: str, commits: dict[str, str]) -> list[dict[str, str]]:
            return [{"name": n, "ref": f"refs/{kind}/{n}", "targetCommit": c} for n, c in commits.items()]

        heads, tags = refs("heads", repository.branches), refs("tags", repository.tags)
        return 200, {"branches": heads, "converts": [], "tags": tags}

    def _do_tag(self, repository: Repository, name: str, body: bytes) -> tuple:
        if not body:  # DELETE
            repository.tags.pop(name, None)
            return 200, {}
        tag = json.loads(body)["tag"]
        if tag in repository.tags:
            raise _Refused(409, "TagExists", "Tag reference exists already")
        repository.tags[tag] = self._commit_of(repository, name)
        return 200, {}

    def _do_branch(self, repository: Repository, name: str, body: bytes) -> tuple:
        if name in repository.branches:
            raise _Refused(409, "BranchExists", "Reference already exists")
        start = (json.loads(body) if body else {}).get("startingPoint", "main")
        repository.branches[name] = self._commit_of(repository, start)
        return 200, {}

    def _do_xet_write_token(self, *_: Any) -> tuple:
        expires, folder = int(time.time()) + 3600, f"local://{self.xet_folder}"
        headers = {
            "X-Xet-Cas-Url": folder,
            "X-Xet-Access-Token": "cas",
            "X-Xet-Token-Expiration": str(expires),
        }
        return 200, {"casUrl": folder, "exp": expires, "accessToken": "cas"}, headers

    def _do_preupload(self, repository: Repository, revision: str, body: bytes) -> tuple:
        tree = repository.trees[self._commit_of(repository, revision)]
        answers = []
        for file in json.loads(body)["files"]:
            is_regular = file["path"].endswith(_TEXTS) and file["size"] < _LARGE
            known = tree.get(file["path"])
            oid = {"oid": known.get("lfs") or known["oid"]} if known else {}
            mode = "regular" if is_regular else "lfs"
            answers.append({"path": file["path"], "uploadMode": mode, "shouldIgnore": False, **oid})
        return 200, {"files": answers}

    def _batch(self, wanted: dict[str, Any]) -> tuple:
        objects = []
        for each in wanted["objects"]:
            href = {"href": f"{self.url}/_lfs/{each['oid']}"}
            actions = {} if each["oid"] in self.large else {"actions": {"upload": href, "verify": href}}
            objects.append({"oid": each["oid"], "size": each["size"], **actions})
        return 200, {"transfer": "basic", "objects": objects}

    def _verify(self, oid: str, body: bytes) -> tuple:
        return (200 if len(self.large.get(oid, b"")) == json.loads(body)["size"] else 404), {}

    def _take(self, oid: str, body: bytes) -> tuple:
        if hashlib.sha256(body).hexdigest() != oid:
            raise _Refused(400, "BadDigest", "sha256 mismatch")
        self.large[oid] = body
        return 200, {}, {"ETag": '"x"'}

    def _do_commit(self, repository: Repository, branch: str, body: bytes) -> tuple:
        header, *operations = [json.loads(line) for line in body.splitlines() if line.strip()]
        with self._lock:
            head = repository.branches.get(branch)
            if head is None:
                raise _Refused(404, "RevisionNotFound", f"Invalid rev id: {branch}")
            if header["value"].get("parentCommit", head) != head:
                raise _Refused(
                    412, "PreconditionFailed", "A commit has happened since. Please refresh and try again."
                )
            tree = dict(repository.trees[head])
            for operation in operations:
                self._apply(tree, operation["key"], operation["value"])
            commit = hashlib.sha1(head.encode() + body).hexdigest()
            repository.trees[commit] = tree
            repository.branches[branch] = commit
            repository.commits.append(commit)
        url = f"{self.url}/datasets/x/x/commit/{commit}"
        return 200, {"success": True, "commitUrl": url, "commitOid": commit, "hookOutput": ""}

    def _apply(self, tree: dict[str, dict[str, Any]], what: str, value: dict[str, Any]) -> None:
        if what == "file":
            data = base64.b64decode(value["content"])
            tree[value["path"]] = {"data": data, "size": len(data), "oid": _git_id(data)}
        elif what == "lfsFile":
            if self.xet_folder is None and value["oid"] not in self.large:
                raise _Refused(400, "LfsMissing", f"LFS object {value['oid']} is missing")
            pointer = f"version https://git-lfs.github.com/spec/v1\noid sha256:{value['oid']}\nsize {value['size']}\n"
            tree[value["path"]] = {
                "lfs": value["oid"],
                "size": value["size"],
                "oid": _git_id(pointer.encode()),
            }
        elif what == "deletedFile" and tree.pop(value["path"], None) is None:
            raise _Refused(404, "EntryNotFound", "A file with this name doesn't exist")

    def _resolve(self, repository: Repository, revision: str, path: str) -> tuple:
        commit = self._commit_of(repository, revision)
        file = repository.trees[commit].get(path)
        if file is None:
            raise _Refused(404, "EntryNotFound", "Entry not found")
        headers = {"X-Repo-Commit": commit, "ETag": f'"{file.get("lfs") or file["oid"]}"'}
        if "lfs" in file:
            headers |= {"X-Linked-Etag": f'"{file["lfs"]}"', "X-Linked-Size": str(file["size"])}
        return 200, file["data"] if "data" in file else self.large.get(file["lfs"], b""), headers


def hub(xet_folder: Path | None = None) -> Hub:
    return Hub(xet_folder)


class _Refused(Exception):
    def __init__(self, status: int, code: str, message: str) -> None:
        self.status, self.code, self.message = status, code, message


def _git_id(data: bytes) -> str:
    return hashlib.sha1(b"blob %d\0" % len(data) + data).hexdigest()


def _entry(path: str, file: dict[str, Any]) -> dict[str, Any]:
    lfs = {"lfs": {"oid": file["lfs"], "size": file["size"], "pointerSize": 130}} if "lfs" in file else {}
    return {"type": "file", "path": path, "size": file["size"], "oid": file["oid"], **lfs}
