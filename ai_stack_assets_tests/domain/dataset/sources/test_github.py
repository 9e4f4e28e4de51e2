"""Records from repositories of a GitHub and of plain git servers: what is read, kept, marked, left out."""

import shutil
from datetime import UTC, datetime

import pytest

from ai_stack_assets.domain.common.failures import PermanentError, TransientError
from ai_stack_assets.domain.dataset.records import schema
from ai_stack_assets.domain.dataset.sources.github import look_github, read_github
from ai_stack_assets.domain.dataset.sources.github_settings import GithubSettings, is_opted_out, wanted
from ai_stack_assets.domain.dataset.sources.harvest import Report
from ai_stack_assets_tests.domain.dataset.sources.repositories import (
    METHOD,
    MIT,
    TIME,
    commit,
    git,
    repository,
)


def test_a_record_keeps_where_its_code_comes_from(read, a_repository):
    (row,) = read("owner/name").rows
    assert (row["source"], row["repository"], row["stars"]) == ("github", "owner/name", 7)
    assert row["commit"] == git(a_repository, "rev-parse", "main")
    assert row["path"] == "src/CommonModules/Общий/Module.bsl"
    assert (row["object"], row["module_type"]) == ("CommonModule.Общий", "CommonModule")
    assert (row["licence"], row["is_publishable"]) == ("MIT", True)
    assert row["changed_at"] == datetime.fromtimestamp(TIME, UTC)


def test_tables_have_the_schema_of_records(server, cache, a_repository):
    settings = GithubSettings(("owner/name",), api_url=server.api_url, workers=1)
    report = Report()
    snapshot = look_github(settings, cache, report)
    (table,) = read_github(snapshot, settings, cache, report)
    assert table.schema.equals(schema())
    assert report.statistics == {
        "files": 1, "files_with_problems": 0, "files_without_methods": 0, "records": 1, "rejected": {},
        "repositories": 1, "repositories_missed": 0, "requests": 1, "requests_unchanged": 0, "waited_seconds": 0,
    }  # fmt: skip
    assert report.rejected_table().num_rows == 0


def test_any_git_server_works_and_an_address_of_github_is_a_name(read, server, a_repository, tmp_path):
    other = repository(tmp_path / "other.git", {"a.bsl": METHOD})
    rows = read(f"file://{other}", f"{server.url}/owner/name.git").rows
    assert {row["repository"] for row in rows} == {"owner/name", f"{other}".removesuffix(".git")}
    assert [row["licence"] for row in rows if row["path"] == "a.bsl"] == ["NOASSERTION"]


def test_a_branch_can_be_named(read, server, a_repository):
    git(a_repository, "branch", "old")
    commit(a_repository, {"new.bsl": METHOD})
    assert len(read("owner/name").rows) == 2
    assert len(read("owner/name@old").rows) == 1


def test_a_pinned_commit_is_read_again_after_the_branch_went_on(read, a_repository):
    git(a_repository, "config", "uploadpack.allowAnySHA1InWant", "true")
    first = read("owner/name")
    commit(a_repository, {"new.bsl": METHOD})
    pinned = read("owner/name", pinned={"owner/name": first.snapshot.repositories[0].commit})
    assert pinned.rows == first.rows
    assert pinned.snapshot.key == first.snapshot.key


def test_the_licence_of_the_api_comes_before_the_file_and_the_users_before_both(read, server, a_repository):
    server.add("owner/name", license={"spdx_id": "GPL-3.0"})
    (row,) = read("owner/name").rows
    assert (row["licence"], row["is_publishable"]) == ("GPL-3.0", False)
    (row,) = read("owner/name", licences={"owner/name": "Apache-2.0"}).rows
    assert (row["licence"], row["is_publishable"]) == ("Apache-2.0", True)


def test_code_that_is_not_public_is_published_only_on_the_users_word(read, server, a_repository, tmp_path):
    server.add("owner/name", private=True)
    plain = repository(tmp_path / "plain.git", {"a.bsl": METHOD + "// 1", "LICENSE": MIT})
    names = ("owner/name", f"file://{plain}")

    def marks(**settings):
        return {(row["licence"], row["is_publishable"]) for row in read(*names, **settings).rows}

    assert marks() == {("MIT", False)}
    assert marks(licences={"Owner/Name": "MIT", f"file://{plain}": "Apache-2.0"}) == {
        ("MIT", True),
        ("Apache-2.0", True),
    }
    assert marks(licences={f"{server.url}/owner/name": "GPL-3.0"}) == {("GPL-3.0", False), ("MIT", False)}


def test_a_repository_that_becomes_private_is_another_snapshot(read, server, a_repository):
    public = read("owner/name").snapshot.key
    server.add("owner/name", private=True)
    assert read("owner/name").snapshot.key != public


def test_what_does_not_say_that_it_is_public_is_not_published(read, server, a_repository):
    del server.items["owner/name"]["private"]
    assert [row["is_publishable"] for row in read("owner/name").rows] == [False]


def test_a_folder_with_a_licence_of_its_own_keeps_it(read, server, a_repository):
    commit(a_repository, {"lib/a.bsl": METHOD, "lib/LICENSE": "All rights reserved."})
    marks = {row["path"]: (row["licence"], row["is_publishable"]) for row in read("owner/name").rows}
    assert marks["lib/a.bsl"] == ("NOASSERTION", False)
    assert marks["src/CommonModules/Общий/Module.bsl"] == ("MIT", True)


def test_the_allow_list_can_be_set(read, a_repository):
    assert [row["is_publishable"] for row in read("owner/name", allowed_licences=("Apache-2.0",)).rows] == [
        False
    ]


def test_the_configurations_name_is_that_of_the_folder(read, server):
    files = {
        "a/Configuration.xml": "<MetaDataObject><Configuration><Properties><Name>Торговля</Name>",
        "a/CommonModules/М/Ext/Module.bsl": METHOD,
        "b/src/Configuration/Configuration.mdo": "<mdclass:Configuration><name>Склад</name>",
        "b/src/CommonModules/М/Module.bsl": METHOD,
        "other.bsl": METHOD,
    }
    repository(server.add("o/two"), files)
    names = {row["path"]: row["configuration"] for row in read("o/two").rows}
    assert list(names.values()) == ["Торговля", "Склад", ""]


def test_onescript_is_read_when_asked_for(read, server):
    repository(server.add("o/s"), {"a.os": METHOD, "b.bsl": METHOD})
    assert read("o/s").paths == ["b.bsl"]
    assert read("o/s", with_onescript=True).paths == ["a.os", "b.bsl"]


def test_many_processes_read_the_same_as_one(read, server, cache):
    repository(
        server.add("o/many"),
        {f"{n}.bsl": f"// {n}\n{METHOD}" for n in range(200)} | {"z.bsl": b"PK" + bytes(99)},
    )
    many = read("o/many", workers=2)
    (cache / "parsed.sqlite").unlink()
    one = read("o/many", workers=1)
    assert many.rows == one.rows
    assert many.reasons == one.reasons == {"o/many:z.bsl": "rejected"}


def test_a_cache_that_was_emptied_between_looking_and_reading_asks_for_another_look(
    server, cache, a_repository
):
    settings = GithubSettings(("owner/name",), api_url=server.api_url, workers=1)
    snapshot = look_github(settings, cache, Report())
    shutil.rmtree(cache / "mirrors")
    with pytest.raises(TransientError, match="look again"):
        list(read_github(snapshot, settings, cache, Report()))


# ---- the next week


def test_an_unchanged_repository_costs_one_conditional_request_and_no_git(read, server, a_repository):
    first = read("owner/name")
    server.git_requests.clear()
    again = read("owner/name")
    assert again.report.counts["requests_unchanged"] == 1
    assert server.git_requests == []
    assert again.snapshot.key == first.snapshot.key
    assert again.rows == first.rows


def test_a_new_commit_is_fetched_alone_and_only_new_files_are_parsed(read, server, a_repository, monkeypatch):
    commit(
        a_repository,
        {f"{n}.bsl": f"// {n}\n{METHOD}" for n in range(300)} | {"big.bin": bytes(range(256)) * 4000},
    )
    read("owner/name")
    commit(a_repository, {"new.bsl": f"// new\n{METHOD}"})
    server.add("owner/name", pushed_at="2026-11-08T00:00:00Z")
    server.sent_bytes, parsed = 0, []
    from ai_stack_assets.domain.dataset.sources import github_parsing

    parse = github_parsing.parse_file
    monkeypatch.setattr(github_parsing, "parse_file", lambda data: parsed.append(data) or parse(data))
    assert len(read("owner/name").rows) == 302
    assert len(parsed) == 1
    assert server.sent_bytes < 20_000


def test_stars_alone_change_no_key(read, server, a_repository):
    first = read("owner/name").snapshot
    server.add("owner/name", stargazers_count=8)
    again = read("owner/name").snapshot
    assert again.key == first.key
    assert again.repositories[0].stars == 8


def test_a_repository_that_cannot_be_reached_now_is_read_as_last_time(read, server, a_repository, tmp_path):
    other = repository(tmp_path / "other.git", {"a.bsl": METHOD})
    first = read("owner/name", f"file://{other}")
    server.add(
        "owner/name", stargazers_count=7, pushed_at="later", clone_url="http://127.0.0.1:1/owner/name.git"
    )
    again = read("owner/name", f"file://{other}")
    assert again.reasons == {"owner/name": "stale"}
    assert again.rows == first.rows


# ---- who did not want it


def test_who_opted_out_is_not_even_asked_for(read, server, a_repository):
    repository(server.add("kind/one"), {"a.bsl": METHOD})
    for entry in ("owner", "Owner/Name", "https://x/y"):
        server.requests.clear()
        server.git_requests.clear()
        rows = read("owner/name", "kind/one", opted_out=(entry,)).rows
        is_read = "x/y" in entry
        assert {row["repository"] for row in rows} == {"kind/one"} | ({"owner/name"} if is_read else set())
        assert any("owner/name" in path for path, _ in server.requests) is is_read


def test_what_was_cached_of_one_who_opts_out_is_removed(read, server, cache, a_repository):
    repository(server.add("kind/one"), {"a.bsl": "// own\n" + METHOD})
    read("owner/name", "kind/one")
    read("owner/name", "kind/one", opted_out=("owner",))
    left = b"".join(
        file.read_bytes() for file in cache.rglob("*") if file.is_file() and file.suffix != ".lock"
    )
    assert b"owner/name" not in left
    kept = {file.name.partition("-")[0] for file in (cache / "mirrors").iterdir() if file.suffix != ".lock"}
    assert kept == {"one"}
    from ai_stack_assets.domain.dataset.sources.bsl_methods import facts_key
    from ai_stack_assets.domain.onec.fact_cache import FactCache

    blob = git(a_repository, "rev-parse", "main:src/CommonModules/Общий/Module.bsl")
    with FactCache(cache / "parsed.sqlite") as facts:
        assert not facts.get([facts_key(blob)])


def test_a_fork_of_one_who_opted_out_and_a_new_name_of_it_are_left_out_too(read, server, a_repository):
    repository(server.add("kind/one"), {"a.bsl": METHOD})
    repository(server.add("x/fork", fork=True, source={"full_name": "owner/name"}), {"a.bsl": METHOD})
    server.renamed["old/name"] = "owner/name"
    harvested = read("old/name", "x/fork", "kind/one", opted_out=("owner/name",))
    assert {row["repository"] for row in harvested.rows} == {"kind/one"}
    assert harvested.report.counts["repositories_opted_out"] == 2


@pytest.mark.parametrize(
    ("name", "entry", "is_out"),
    [
        ("git.example.com/owner/name", "owner", True),
        ("git.example.com/group/owner/name", "owner/name", True),
        ("owner/name", "name", False),
        ("owner/name2", "owner/name", False),
        ("Owner/Name", " owner/name.git ", True),
        ("owner/name", "@owner", True),
        ("owner/name", "owner/", True),
        ("owner/name", "https://github.com/Owner/name", True),
        ("owner/name", "https://www.github.com/owner/", True),
        ("owner/name", "github.com/owner/name.git/", True),
        ("owner/name", "git@github.com:owner/name.git", True),
        ("owner/name", "https://github.com/owner/name/tree/main/src?a=b", True),
        ("owner/name", "https://github.com/orgs/owner/repositories", True),
        ("owner/other", "https://github.com/owner/name", False),
        ("owner/name", "https://git.corp.example/owner/name", True),
        ("git.example.com/trade", "https://git.example.com/trade.git", True),
        ("git.example.com:8080/erp/trade", "https://git.example.com:8080/erp/trade/-/tree/main", True),
        ("git.example.com/erp/trade", "git.example.com", True),
        ("/srv/git/trade", "file:///srv/git", True),
    ],
)
def test_an_entry_stands_for_an_owner_or_a_repository_on_any_server(name, entry, is_out):
    assert is_opted_out(name, (entry,)) is is_out


@pytest.mark.parametrize(
    "entry", ["", "/", "@", "acme/*", "acme, other", "https://github.com", "acme/x@main"]
)
def test_an_opt_out_that_cannot_be_understood_is_refused(entry, read, a_repository):
    with pytest.raises(PermanentError, match=r"github\.opted_out"):
        read("owner/name", opted_out=(entry,))


def test_forks_archived_and_unpopular_ones_follow_the_settings(read, server, a_repository):
    repository(server.add("a/fork", fork=True), {"a.bsl": METHOD})
    repository(server.add("a/old", archived=True, stargazers_count=3), {"a.bsl": METHOD})

    def found(**settings):
        return {row["repository"] for row in read(searches=('language:"1C Enterprise"',), **settings).rows}

    assert found() == {"owner/name", "a/old"}
    assert found(with_forks=True) == {"owner/name", "a/old", "a/fork"}
    assert found(with_archived=False, least_stars=5) == {"owner/name"}


# ---- settings


def test_an_address_never_shows_its_password():
    one = wanted("https://user:secret@git.example.com/g/trade.git@main", "https://api.github.com")
    assert (one.name, one.ref) == ("git.example.com/g/trade", "main")
    assert "secret" not in repr(one)
    assert "secret" not in repr(GithubSettings(token="secret"))


def test_nothing_named_is_a_wrong_setting(read):
    with pytest.raises(PermanentError, match="repositories, searches"):
        read()


def test_no_repository_at_all_fails_the_source(read, server):
    with pytest.raises(PermanentError, match="Not Found"):
        read("no/such")
    with pytest.raises(TransientError, match="cannot be reached"):
        read("http://127.0.0.1:1/x/y.git")


def test_the_licence_texts_of_one_repository_do_not_matter_to_another(read, server, a_repository):
    repository(server.add("b/b"), {"a.bsl": METHOD})
    marks = {row["repository"]: row["licence"] for row in read("owner/name", "b/b").rows}
    assert marks == {"owner/name": "MIT", "b/b": "NOASSERTION"}
