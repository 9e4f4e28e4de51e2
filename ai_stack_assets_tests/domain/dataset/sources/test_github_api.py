"""GitHub's REST API as it is: pages, limits, refusals, answers that did not change."""

import time

import pytest

from ai_stack_assets.domain.common.failures import PermanentError, TransientError
from ai_stack_assets.domain.dataset.sources.polite import Manners
from ai_stack_assets_tests.domain.dataset.sources.repositories import METHOD, repository
from ai_stack_assets_tests.servers.github import github

SEARCH = ('language:"1C Enterprise"',)


def test_a_search_is_read_page_by_page(read, server):
    server.most_per_page = 2
    for n in range(5):
        repository(server.add(f"o/r{n}", stargazers_count=n), {"a.bsl": METHOD})
    harvested = read(searches=SEARCH)
    assert len(harvested.rows) == 5
    assert [path.rpartition("page=")[2] for path, _ in server.requests] == ["100", "2", "3"]


def test_a_repository_that_is_named_and_found_is_read_once(read, a_repository):
    assert len(read("Owner/Name", searches=(*SEARCH, "topic:1c")).rows) == 1


def test_more_results_than_github_shows_are_asked_for_in_parts(read, server, monkeypatch):
    from ai_stack_assets.domain.dataset.sources import github_api

    monkeypatch.setattr(github_api, "MOST_FOUND", 2)
    for n in range(5):
        repository(server.add(f"o/r{n}", created_at=f"20{10 + 3 * n}-01-01T00:00:00Z"), {"a.bsl": METHOD})
    assert len(read(searches=SEARCH).rows) == 5


def test_over_the_limit_repositories_are_counted(read, server):
    for n in range(3):
        repository(server.add(f"o/r{n}", stargazers_count=n), {"a.bsl": METHOD})
    harvested = read(searches=SEARCH, max_repositories=2)
    assert {row["repository"] for row in harvested.rows} == {"o/r1", "o/r2"}
    assert harvested.report.counts["repositories_over_the_limit"] == 1


def test_a_search_that_github_could_not_finish_is_reported(read, server, a_repository):
    item = {**server.items["owner/name"]}
    server.script.append((200, {}, {"total_count": 1, "incomplete_results": True, "items": [item]}))
    assert read(searches=SEARCH).reasons == {SEARCH[0]: "incomplete_search"}


def test_the_token_goes_to_the_api_and_nowhere_else(read, server, a_repository):
    server.token = "ghp_secret"
    assert len(read("owner/name", token="ghp_secret").rows) == 1
    header = {"link": '<http://127.0.0.2:1/next>; rel="next"'}
    server.script.append((200, header, {"total_count": 1, "items": []}))
    with pytest.raises(PermanentError, match="another server") as caught:
        read(searches=SEARCH, token="ghp_secret")
    assert "ghp_secret" not in str(caught.value)


# ---- limits


def test_a_used_up_limit_is_waited_for_until_its_reset_by_the_servers_clock(read, server, a_repository):
    now = time.time() + 10_000
    from email.utils import formatdate

    headers = {
        "x-ratelimit-remaining": "0",
        "x-ratelimit-reset": str(int(now) + 100),
        "date": formatdate(now, usegmt=True),
    }
    server.script.append((403, headers, {"message": "API rate limit exceeded for user ID 1."}))
    harvested = read("owner/name")
    assert len(harvested.rows) == 1
    assert harvested.waits == [pytest.approx(101, abs=1)]


@pytest.mark.parametrize("status", [403, 429])
def test_a_secondary_limit_is_waited_for_as_long_as_it_says(read, server, a_repository, status):
    server.script.append(
        (status, {"retry-after": "7"}, {"message": "You have exceeded a secondary rate limit."})
    )
    harvested = read("owner/name")
    assert len(harvested.rows) == 1
    assert harvested.waits[0] == 7


def test_a_secondary_limit_that_does_not_say_is_waited_for_a_minute(read, server, a_repository):
    server.script.append((403, {}, {"message": "You have exceeded a secondary rate limit."}))
    assert read("owner/name").waits[0] == 60


def test_a_wait_without_an_end_is_a_transient_failure_that_names_the_settings(read, server, a_repository):
    server.script.append((429, {"retry-after": "4000"}, {}))
    with pytest.raises(TransientError, match=r"max_wait_seconds.*GITHUB_TOKEN"):
        read("owner/name", manners=Manners(max_wait_seconds=3600))


def test_an_unchanged_answer_costs_nothing_of_the_limit(read, server, a_repository):
    read("owner/name")
    before = server.remaining
    read("owner/name")
    assert server.remaining == before


# ---- refusals


def test_a_wrong_token_fails_the_source_and_names_the_setting(read, server, a_repository):
    server.token = "right"
    with pytest.raises(PermanentError, match=r"Bad credentials.*GITHUB_TOKEN"):
        read("owner/name", token="wrong")


def test_a_forbidden_api_fails_the_source(read, server, a_repository):
    server.script.append((403, {}, {"message": "Resource protected by organization SAML enforcement."}))
    with pytest.raises(PermanentError, match=r"403.*SAML"):
        read("owner/name")


def test_a_server_out_of_order_is_asked_again_then_transient(read, server, a_repository):
    server.script.extend([(500, {}, {}), (502, {}, {})])
    harvested = read("owner/name")
    assert (len(harvested.rows), harvested.waits) == (1, [1, 2])
    server.script.extend([(500, {}, {})] * 3)
    with pytest.raises(TransientError, match=r"status 500.*GITHUB_TOKEN"):
        read("owner/name")


def test_an_unreachable_api_is_transient(read):
    with pytest.raises(TransientError, match="GitHub cannot be reached"):
        read("owner/name", api_url="http://127.0.0.1:1")


def test_something_else_at_the_address_of_the_api_is_named(read, tmp_path):
    with github(tmp_path) as other, pytest.raises(PermanentError, match="api_url"):
        read("owner/name", searches=SEARCH, api_url=other.url + "/owner")


@pytest.mark.parametrize("body", [{"stars": 1}, {"full_name": 5}, [1]])
def test_an_answer_of_another_kind_of_server_is_named(read, server, a_repository, body):
    server.script.append((200, {}, body))
    with pytest.raises(PermanentError, match="api_url"):
        read("owner/name")


def test_a_search_that_github_does_not_understand_is_a_wrong_setting(read, server):
    server.script.append((422, {}, {"message": "Validation Failed"}))
    with pytest.raises(PermanentError, match=r"Validation Failed.*searches"):
        read(searches=("language:",))


def test_one_missing_or_blocked_repository_does_not_stop_the_others(read, server, a_repository):
    server.script.append((403, {}, {"message": "Repository access blocked", "block": {"reason": "tos"}}))
    server.script.append((451, {}, {"message": "Repository access blocked", "block": {"reason": "dmca"}}))
    harvested = read("bad/tos", "bad/dmca", "no/such", "owner/name")
    assert harvested.reasons == {"bad/tos": "blocked", "bad/dmca": "blocked", "no/such": "not_found"}
    assert len(harvested.rows) == 1
    assert harvested.report.counts["repositories_missed"] == 3


def test_a_renamed_repository_is_found_under_its_new_name(read, server, a_repository):
    server.renamed["former/name"] = "owner/name"
    assert {row["repository"] for row in read("former/name").rows} == {"owner/name"}


def test_a_repository_that_is_too_large_is_not_cloned(read, server, a_repository):
    server.add("big/one", size=9 << 20)
    assert read("owner/name", "big/one").reasons == {"big/one": "too_large"}
