"""Git sources, on repositories made here; the network is a server on loopback, or nobody."""

import http.server
import os
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from ai_stack_assets.domain.common.failures import PermanentError, TransientError
from ai_stack_assets.domain.onec import sources_git
from ai_stack_assets.domain.onec.sources import Checkout, fetch, parse_source


def git(folder: Path, *arguments: str) -> str:
    identity = {
        f"GIT_{who}_{what}": "test@example.org"
        for who in ("AUTHOR", "COMMITTER")
        for what in ("NAME", "EMAIL")
    }
    environment = {**os.environ, **identity, "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_SYSTEM": os.devnull}
    done = subprocess.run(
        ["git", *arguments], cwd=folder, env=environment, check=True, capture_output=True, text=True
    )
    return done.stdout.strip()


def commit(repository: Path, **files: str) -> str:
    for name, content in files.items():
        (repository / f"{name}.bsl").write_text(content, encoding="utf-8")
    git(repository, "add", "-A")
    git(repository, "commit", "-q", "-m", "changed")
    return git(repository, "rev-parse", "HEAD")


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    folder = tmp_path / "repository"
    folder.mkdir()
    git(folder, "init", "-q", "-b", "main")
    commit(folder, Валюты="1", Старый="1")
    return folder


def contents(checkout: Checkout) -> dict[str, str]:
    return {f.name: f.read_text(encoding="utf-8") for f in checkout.folder.rglob("*") if f.is_file()}


def fetched(source: str, work: Path) -> tuple[dict[str, str], Checkout]:
    with fetch(parse_source(source), work) as checkout:
        return contents(checkout), checkout


@pytest.fixture(params=["path", "url"])
def address(request: pytest.FixtureRequest, repository: Path) -> str:
    """The same repository, read where it lies and through a mirror."""
    return str(repository) if request.param == "path" else f"file://{repository}"


def test_a_branch_a_tag_and_a_commit_are_refs(address, repository, tmp_path):
    first = git(repository, "rev-parse", "HEAD")
    git(repository, "tag", "-a", "v1", "-m", "first")
    git(repository, "checkout", "-q", "-b", "feature/x")
    second = commit(repository, Валюты="2")
    git(repository, "config", "uploadpack.allowReachableSHA1InWant", "true")
    for ref, expected in (("feature/x", second), ("v1", first), (second, second), (first[:10], first)):
        files, checkout = fetched(f"{address}@{ref}", tmp_path / "work")
        assert (checkout.commit, checkout.ref) == (expected, ref)
        assert files["Валюты.bsl"] == ("1" if expected == first else "2")


def test_without_a_ref_an_address_means_its_default_branch(repository, tmp_path):
    files, checkout = fetched(f"file://{repository}", tmp_path / "work")
    assert files == {"Валюты.bsl": "1", "Старый.bsl": "1"}
    assert checkout.ref == "main"


def test_uncommitted_work_is_no_part_of_a_ref(repository, tmp_path):
    (repository / "Валюты.bsl").write_text("draft", encoding="utf-8")
    assert fetched(f"{repository}@main", tmp_path / "work")[0]["Валюты.bsl"] == "1"


def test_a_new_commit_writes_only_what_changed(address, repository, tmp_path):
    source, work = f"{address}@main", tmp_path / "work"
    _, checkout = fetched(source, work)
    before = (checkout.folder / "Валюты.bsl").stat().st_mtime_ns
    (repository / "Старый.bsl").unlink()
    commit(repository, Новый="1")
    files, again = fetched(source, work)
    assert files == {"Валюты.bsl": "1", "Новый.bsl": "1"}
    assert again.folder == checkout.folder
    assert (again.folder / "Валюты.bsl").stat().st_mtime_ns == before


def test_two_readers_of_one_state_do_not_wait_for_each_other(repository, tmp_path):
    spec = parse_source(f"{repository}@main")
    with fetch(spec, tmp_path / "work") as first, fetch(spec, tmp_path / "work") as second:
        assert first.folder == second.folder


def test_a_blob_that_the_repository_lacks_is_named_and_the_rest_is_read(repository, tmp_path):
    commit(repository, Потерян="only here")
    blob = git(repository, "rev-parse", "HEAD:Потерян.bsl")
    (repository / ".git" / "objects" / blob[:2] / blob[2:]).unlink()
    files, checkout = fetched(f"{repository}@main", tmp_path / "work")
    assert checkout.missing == ("Потерян.bsl",)
    assert files == {"Валюты.bsl": "1", "Старый.bsl": "1"}
    with pytest.raises(PermanentError, match="lacks objects of its own"):
        fetched(f"file://{repository}@main", tmp_path / "work")


def test_an_unknown_ref_lists_near_ones(address, repository, tmp_path):
    git(repository, "branch", "release-1")
    with pytest.raises(PermanentError, match="no branch, tag or commit 'relaese-1'; there is: release-1"):
        fetched(f"{address}@relaese-1", tmp_path / "work")


def test_links_and_submodules_are_not_followed(repository, tmp_path):
    secret = tmp_path / "secret.bsl"
    secret.write_text("secret", encoding="utf-8")
    (repository / "link.bsl").symlink_to(secret)
    (repository / "folder").symlink_to(tmp_path)
    head = git(repository, "rev-parse", "HEAD")
    git(repository, "update-index", "--add", "--cacheinfo", f"160000,{head},module")
    commit(repository, Валюты="2")
    assert fetched(f"{repository}@main", tmp_path / "work")[0] == {"Валюты.bsl": "2", "Старый.bsl": "1"}


def test_hooks_and_filters_of_a_repository_do_not_run(repository, tmp_path):
    trace = tmp_path / "ran"
    hook = repository / ".git" / "hooks" / "post-checkout"
    hook.write_text(f"#!/bin/sh\ntouch {trace}\n", encoding="utf-8")
    hook.chmod(0o755)
    git(repository, "config", "filter.evil.smudge", f"touch {trace}; cat")
    (repository / ".gitattributes").write_text("*.bsl filter=evil text eol=crlf\n", encoding="utf-8")
    commit(repository, Валюты="2\n")
    trace.unlink(missing_ok=True)
    assert fetched(f"{repository}@main", tmp_path / "work")[0]["Валюты.bsl"] == "2\n"
    assert not trace.exists()


def test_a_path_out_of_the_folder_condemns_the_commit(repository, tmp_path):
    blob = git(repository, "rev-parse", "HEAD:Валюты.bsl")
    listing = tmp_path / "tree"
    listing.write_text(f"100644 blob {blob}\tevil.bsl\n", encoding="utf-8")
    with listing.open() as stdin:
        inner = subprocess.run(
            ["git", "mktree"], cwd=repository, stdin=stdin, capture_output=True, text=True, check=True
        )
    listing.write_text(f"040000 tree {inner.stdout.strip()}\t..\n", encoding="utf-8")
    with listing.open() as stdin:
        outer = subprocess.run(
            ["git", "mktree"], cwd=repository, stdin=stdin, capture_output=True, text=True, check=True
        )
    git(repository, "tag", "evil", git(repository, "commit-tree", outer.stdout.strip(), "-m", "evil"))
    with pytest.raises(PermanentError, match="leads out of the folder"):
        fetched(f"{repository}@evil", tmp_path / "work")


def test_a_surrounding_git_does_not_lead_astray(repository, tmp_path, monkeypatch):
    monkeypatch.setenv("GIT_DIR", str(tmp_path / "elsewhere"))
    assert fetched(f"file://{repository}", tmp_path / "work")[1].ref == "main"


def test_a_repository_without_commits_says_so(tmp_path):
    (tmp_path / "bare").mkdir()
    git(tmp_path / "bare", "init", "-q", "--bare")
    with pytest.raises(PermanentError, match="has no commits"):
        fetched(str(tmp_path / "bare"), tmp_path / "work")


def test_a_folder_with_a_ref_that_is_no_repository_says_so(tmp_path):
    (tmp_path / "plain").mkdir()
    with pytest.raises(PermanentError, match=r"not a git repository|does not appear"):
        fetched(f"{tmp_path / 'plain'}@main", tmp_path / "work")


@pytest.fixture
def locked_server() -> Iterator[str]:
    """A server that wants a password for everything."""

    class Locked(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(401)
            self.send_header("WWW-Authenticate", 'Basic realm="private"')
            self.end_headers()

        def log_message(self, format: str, *_: object) -> None: ...

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Locked)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/trade.git"
    server.shutdown()


def test_a_server_that_wants_a_password_is_refused_at_once_without_asking(
    locked_server, tmp_path, monkeypatch
):
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", os.devnull)
    with pytest.raises(PermanentError, match="needs a password"):
        fetched(locked_server, tmp_path / "work")


def test_a_wrong_password_is_not_repeated_in_the_message(locked_server, tmp_path, monkeypatch):
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", os.devnull)
    with pytest.raises(PermanentError) as refusal:
        fetched(locked_server.replace("://", "://user:secret@"), tmp_path / "work")
    assert "secret" not in str(refusal.value)


def test_a_server_that_nobody_answers_at_may_be_tried_again(tmp_path):
    with pytest.raises(TransientError, match="cannot be reached"):
        fetched("http://127.0.0.1:9/trade.git", tmp_path / "work")


def test_a_server_that_never_answers_is_given_up(tmp_path, monkeypatch):
    import socket

    monkeypatch.setattr(sources_git, "LIST_SECONDS", 0.5)
    with socket.create_server(("127.0.0.1", 0)) as silent, pytest.raises(TransientError, match="no answer"):
        fetched(f"http://127.0.0.1:{silent.getsockname()[1]}/trade.git", tmp_path / "work")


def test_git_that_is_not_installed_is_named(repository, tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(PermanentError, match="git is not installed"):
        fetched(f"{repository}@main", tmp_path / "work")
