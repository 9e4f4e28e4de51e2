"""Repositories that are broken, hostile, or vanish: the rest is read, what is lost is named, nothing is left half-done."""

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import threading

import pytest

from ai_stack_assets.domain.common.failures import PermanentError, TransientError
from ai_stack_assets.domain.dataset.sources import github_git
from ai_stack_assets.domain.dataset.sources.github_git import Mirror, TooLarge
from ai_stack_assets_tests.domain.dataset.sources.repositories import (
    METHOD,
    commit,
    empty,
    git,
    repository,
    tree_commit,
)

LIMITS = {"seconds": 60, "most_bytes": 1 << 30}


def test_files_of_any_encoding_are_read_and_others_named(read, server):
    files = {
        "cp1251.bsl": METHOD.encode("cp1251"),
        "utf16.bsl": METHOD.encode("utf-16"),
        "bom.bsl": METHOD.encode("utf-8-sig"),
        "binary.bsl": os.urandom(5000),
        "image.bsl": b"\xff\xff\xff\x7f compiled",
        "lfs.bsl": "version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n",
        "empty.bsl": "",
        ".settings/template.bsl": METHOD,
    }
    repository(server.add("o/r"), files)
    harvested = read("o/r")
    assert harvested.paths == ["bom.bsl", "cp1251.bsl", "utf16.bsl"]
    assert len({row["content_hash"] for row in harvested.rows}) == 1
    assert harvested.reasons == {
        "o/r:binary.bsl": "rejected", "o/r:image.bsl": "protected", "o/r:lfs.bsl": "rejected"
    }  # fmt: skip
    assert harvested.report.counts["files_in_hidden_folders"] == 1


def test_a_file_of_one_line_of_50_mb_is_too_large_and_one_of_2_mb_is_read(read, server):
    def line(size: int) -> bytes:
        return f'Процедура А() Б = "{"х" * (size // 2)}"; КонецПроцедуры'.encode()

    repository(server.add("o/r"), {"long.bsl": line(50 << 20), "short.bsl": line(2 << 20)})
    harvested = read("o/r")
    assert harvested.reasons == {"o/r:long.bsl": "too_large"}
    assert harvested.paths == ["short.bsl"]


def test_links_and_submodules_are_not_followed(read, server, tmp_path):
    (tmp_path / "secret.bsl").write_text(METHOD, encoding="utf-8")
    files = {"out.bsl@": f"{tmp_path}/secret.bsl", "lib.bsl#": "1" * 40, "folder@": "/etc", "ok.bsl": METHOD}
    repository(
        server.add("o/r"), {**files, ".gitmodules": '[submodule "lib"]\n\tpath = lib.bsl\n\turl = /etc\n'}
    )
    harvested = read("o/r")
    assert harvested.paths == ["ok.bsl"]
    assert harvested.reasons == {"o/r:out.bsl": "link", "o/r:lib.bsl": "submodule"}


def test_paths_of_any_bytes_and_any_case_are_told_apart(read, server):
    files = {
        "Модуль.bsl".encode("cp1251"): METHOD,
        "Модуль.bsl".encode("cp866"): METHOD,
        "a.bsl": METHOD,
        "A.bsl": METHOD,
        b"new\nline.BSL": METHOD,
    }
    quoted = {b'"new\\nline.BSL"' if b"\n" in name else name: text for name, text in
              ((n if isinstance(n, bytes) else n.encode(), t) for n, t in files.items())}  # fmt: skip
    repository(server.add("o/r"), quoted)
    rows = read("o/r").rows
    assert len({row["id"] for row in rows}) == len(rows) == 5
    assert {"a.bsl", "A.bsl", "new\nline.BSL", "\\xcc\\xee\\xe4\\xf3\\xeb\\xfc.bsl"} < {
        row["path"] for row in rows
    }


def test_a_path_that_leads_out_is_rejected_and_touches_nothing(read, server, cache):
    bare = repository(server.add("o/r"), {"ok.bsl": METHOD})
    blob = git(bare, "rev-parse", "main:ok.bsl")
    inner = git(bare, "mktree", stdin=f"100644 blob {blob}\tevil.bsl\n".encode())
    tree_commit(bare, f"100644 blob {blob}\tok.bsl\n040000 tree {inner}\t..\n".encode())
    harvested = read("o/r")
    assert harvested.reasons == {"o/r:../evil.bsl": "unsafe_path"}
    assert harvested.paths == ["ok.bsl"]
    assert not [*cache.parent.rglob("evil.bsl")]


def test_hooks_filters_and_settings_of_a_repository_do_not_run(read, server, tmp_path):
    trace = tmp_path / "ran"
    bare = repository(server.add("o/r"), {"ok.bsl": METHOD, ".gitattributes": "*.bsl filter=evil\n"})
    hook = bare / "hooks/reference-transaction"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text(f"#!/bin/sh\ntouch {trace}\n", encoding="utf-8")
    hook.chmod(0o755)
    git(bare, "config", "filter.evil.smudge", f"touch {trace}; cat")
    assert read("o/r").paths == ["ok.bsl"]
    assert not trace.exists()


def test_trees_that_list_without_an_end_are_cut_off(read, server, monkeypatch, a_repository):
    monkeypatch.setattr(github_git, "MOST_LISTING_BYTES", 1 << 20)
    bare = repository(server.add("o/bomb"), {"ok.bsl": METHOD})
    kind, item = "100644 blob", git(bare, "rev-parse", "main:ok.bsl")
    for _ in range(8):
        item = git(bare, "mktree", stdin="".join(f"{kind} {item}\t{n}.bsl\n" for n in range(10)).encode())
        kind = "040000 tree"
    tree_commit(bare, f"{kind} {item}\ttop\n".encode())
    harvested = read("o/bomb", "owner/name")
    assert harvested.reasons == {"o/bomb": "too_large"}
    assert {row["repository"] for row in harvested.rows} == {"owner/name"}


def test_more_bytes_than_allowed_are_not_fetched(read, server, a_repository):
    repository(server.add("o/huge"), {"ok.bsl": METHOD, "huge.bin": os.urandom(3 << 20)})
    harvested = read("o/huge", "owner/name", max_repository_bytes=1 << 20)
    assert harvested.reasons == {"o/huge": "too_large"}
    assert {row["repository"] for row in harvested.rows} == {"owner/name"}


def test_an_empty_repository_is_named(read, server, a_repository):
    empty(server.add("o/empty"))
    harvested = read("o/empty", "owner/name")
    assert harvested.reasons == {"o/empty": "empty_repository"}
    assert harvested.report.counts["repositories_missed"] == 0


def test_a_repository_without_bsl_gives_nothing_and_no_error(read, server, a_repository):
    repository(server.add("o/docs"), {"README.md": "text"})
    assert {row["repository"] for row in read("o/docs", "owner/name").rows} == {"owner/name"}


def test_a_repository_that_git_does_not_know_is_named(read, server, a_repository):
    server.add("o/gone")
    harvested = read("o/gone", "owner/name")
    assert harvested.reasons == {"o/gone": "refused"}
    assert harvested.report.counts["repositories_missed"] == 1
    assert len(harvested.rows) == 1


def test_a_branch_that_is_not_there_is_named(read, a_repository, server):
    repository(server.add("o/r"), {"ok.bsl": METHOD})
    assert read("owner/name@nowhere", "o/r").reasons == {"owner/name": "refused"}


# ---- things that happen meanwhile


def test_a_repository_that_disappears_while_it_is_cloned_stops_only_itself(read, server, a_repository):
    doomed = repository(server.add("o/doomed"), {"ok.bsl": METHOD})
    server.before_pack = lambda: shutil.rmtree(doomed, ignore_errors=True)
    harvested = read("o/doomed", "owner/name")
    assert set(harvested.reasons) == {"o/doomed"}
    assert {row["repository"] for row in harvested.rows} == {"owner/name"}
    server.before_pack = lambda: None
    repository(doomed, {"ok.bsl": METHOD})
    assert not read("o/doomed", "owner/name").reasons


def test_a_mirror_whose_git_was_killed_goes_on(read, server, cache, a_repository):
    """As kill -9 leaves it: locks, half a pack, and at worst half a repository."""
    first = read("owner/name").rows
    (mirror,) = (cache / "mirrors").glob("*/")
    for left in ("shallow.lock", "config.lock", "refs/kept/new.lock", "objects/pack/tmp_pack_x"):
        (mirror / left).write_text("", encoding="utf-8")
    commit(a_repository, {"new.bsl": METHOD})
    server.add("owner/name", pushed_at="later")
    assert len(read("owner/name").rows) == len(first) + 1
    assert not [*mirror.rglob("tmp_pack*")]
    shutil.rmtree(mirror / "objects")
    assert len(read("owner/name").rows) == len(first) + 1


def test_kill_9_while_cloning_leaves_what_the_next_run_goes_on_with(read, server, cache, a_repository):
    reached, release = threading.Event(), threading.Event()

    def hold() -> None:
        reached.set()
        release.wait(60)

    server.before_pack = hold
    code = (
        "import sys; from pathlib import Path; from ai_stack_assets.domain.dataset.sources.github_git import Mirror;"
        "Mirror(Path(sys.argv[1]), 'owner/name', sys.argv[2]).update('', '', seconds=60, most_bytes=1 << 30)"
    )
    command = [sys.executable, "-c", code, str(cache), f"{server.url}/owner/name.git"]
    with subprocess.Popen(command) as process:
        assert reached.wait(60)
        process.send_signal(signal.SIGKILL)
    server.before_pack = lambda: None
    try:
        assert len(read("owner/name").rows) == 1
    finally:
        release.set()


def test_two_runs_on_one_cache_do_not_disturb_each_other(read, server, a_repository):
    commit(a_repository, {f"{n}.bsl": f"// {n}\n{METHOD}" for n in range(100)})
    results, failures = [], []

    def run() -> None:
        try:
            results.append(read("owner/name").rows)
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=run) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert results[0] == results[1] == results[2]
    assert len(results[0]) == 101


def test_a_commit_that_is_read_stays_while_another_run_fetches_the_next(server, cache, a_repository):
    mirror = Mirror(cache, "owner/name", f"file://{a_repository}")
    old = mirror.update("", "", **LIMITS).commits[0]
    commit(a_repository, {"new.bsl": METHOD})
    assert mirror.update("", "", **LIMITS).commits == [git(a_repository, "rev-parse", "main"), old]
    git(mirror.folder, "repack", "-adq")
    assert [entry.path for entry in mirror.entries(old)] == ["LICENSE", "src/CommonModules/Общий/Module.bsl"]


def test_a_mirror_inside_of_another_repository_never_touches_it(cache, a_repository, tmp_path):
    git(tmp_path, "init", "-q", ".")
    mirror = Mirror(cache, "owner/name", f"file://{a_repository}")
    mirror.update("", "", **LIMITS)
    (mirror.folder / "HEAD").write_text("nonsense", encoding="utf-8")
    mirror.update("", "", **LIMITS)
    assert git(tmp_path, "for-each-ref") == ""


def test_a_password_in_an_address_is_in_no_message_and_no_file(cache, server):
    address = server.url.replace("http://", "http://user:geheim@")
    mirror = Mirror(cache, "o/none", f"{address}/o/none.git")
    with pytest.raises(PermanentError) as caught:
        mirror.update("", "", **LIMITS)
    assert "geheim" not in str(caught.value)
    for file in cache.rglob("*"):
        with contextlib.suppress(IsADirectoryError):
            assert b"geheim" not in file.read_bytes()


def test_a_limit_of_bytes_is_an_error_of_its_own(cache, server):
    big = repository(server.folder / "big.git", {"huge.bin": os.urandom(2 << 20)})
    with pytest.raises(TooLarge, match="larger than the settings allow"):
        Mirror(cache, "big", f"file://{big}").update("", "", seconds=60, most_bytes=1 << 20)


def test_a_full_disk_is_nobodys_fault_but_stops_the_source(read, a_repository, monkeypatch):
    def full(*_: object, **__: object) -> None:
        raise PermanentError("git fetch failed. Git says: fatal: write error: No space left on device")

    monkeypatch.setattr(Mirror, "update", full)
    with pytest.raises(TransientError, match="disk of the cache"):
        read("owner/name")
