"""ITS over HTTP: login, walk, manners, and all that a knowledge base can answer instead of an article."""

import pytest

from ai_stack_assets.domain.common.failures import PermanentError, TransientError
from ai_stack_assets.domain.dataset.sources.harvest import Report
from ai_stack_assets.domain.dataset.sources.its import look_its, read_its
from ai_stack_assets.domain.dataset.sources.its_session import ItsManners, ItsSettings
from ai_stack_assets_tests.servers.its import PASSWORD, USER, its

CODE = "<pre>Процедура А() Экспорт\n\tБ = 1;\nКонецПроцедуры</pre>"
SECTION = "/db/v8std"


@pytest.fixture
def server():
    with its() as state:
        state.page(
            SECTION,
            "<h1>Стандарты</h1>" + "".join(f"<a href='{SECTION}/content/{n}/hdoc'>{n}</a>" for n in (1, 2)),
        )
        state.page(
            f"{SECTION}/content/1/hdoc", f"<h1>Статья 1</h1><p>Пример:</p>{CODE}<a href='{SECTION}'>up</a>"
        )
        state.page(
            f"{SECTION}/content/2/hdoc",
            "<h1>Статья 2</h1><iframe src='/db/content/v8std/src/2.htm'></iframe>",
        )
        state.page(
            "/db/content/v8std/src/2.htm",
            '<h1>Тело 2</h1><pre>Возврат Новый Массив;</pre><pre>{"a": "b, c, d"}</pre>',
        )
        yield state


@pytest.fixture
def harvest(server, tmp_path):
    def harvest(**settings):
        options = {
            "user": USER,
            "password": PASSWORD,
            "manners": ItsManners(delay_seconds=0, retries=2),
            "recheck_hours": 0,
            **settings,
        }
        chosen = ItsSettings(base_url=server.url, login_url=server.login_url, **options)
        report, waits = Report(), []
        snapshot = look_its(chosen, tmp_path / "its", report, waits.append)
        rows = [
            row for table in read_its(snapshot, chosen, tmp_path / "its", report) for row in table.to_pylist()
        ]
        reasons = {place.removeprefix(server.url): reason for place, reason, _ in report.rejected}
        return rows, reasons, report, snapshot, waits

    return harvest


def test_samples_of_a_section_become_records_with_their_article(harvest, server):
    rows, reasons, report, *_ = harvest()
    second, first = sorted(rows, key=lambda row: row["path"])
    assert (first["source"], first["repository"], first["module_type"]) == ("its", SECTION, "Sample")
    assert first["path"] == f"{server.url}{SECTION}/content/1/hdoc"
    assert (first["method_name"], first["is_export"], first["start_line"]) == ("А", True, 1)
    assert first["doc_comment"] == "Статья 1\n\nПример:"
    assert (second["code"], second["method_name"]) == ("Возврат Новый Массив;", "")
    assert (first["licence"], first["is_publishable"]) == ("LicenseRef-1C-ITS", False)
    assert first["changed_at"].isoformat() == "2026-11-04T10:00:00+00:00"
    assert reasons == {"/db/content/v8std/src/2.htm": "not_bsl"}
    assert (report.counts["articles"], report.counts["pages"], report.counts["logins"]) == (2, 4, 1)


def test_a_user_whose_licence_allows_it_may_publish(harvest):
    assert all(row["is_publishable"] for row in harvest(is_publishable=True, licence="CC-BY-4.0")[0])


def test_the_login_sends_the_forms_own_fields_and_the_password_as_it_is(harvest, server):
    harvest()
    (form,) = server.logins
    assert (form["username"], form["password"], form["_eventId"]) == (USER, PASSWORD, "submit")
    assert form["execution"].startswith("e")


def test_a_wrong_password_is_permanent_tried_once_and_not_shown(harvest, server):
    with pytest.raises(PermanentError, match="ITS_USER, ITS_PASSWORD") as caught:
        harvest(password="geheim")
    assert "geheim" not in str(caught.value)
    assert len(server.logins) == 1


def test_a_password_is_not_sent_to_another_server(harvest, server):
    server.form_action = "http://127.0.0.2:1/steal"
    with pytest.raises(PermanentError, match="another server"):
        harvest()
    assert server.logins == []


def test_without_credentials_it_is_off(tmp_path, server):
    settings = ItsSettings(base_url=server.url)
    assert not settings.is_on
    with pytest.raises(PermanentError, match="ITS_USER, ITS_PASSWORD"):
        look_its(settings, tmp_path, Report())
    assert server.requests == []
    assert "secret" not in repr(ItsSettings(password="secret"))


def test_an_expired_session_is_renewed_once_and_nothing_is_lost(harvest, server):
    server.expires_after = 2
    rows, _, report, *_ = harvest()
    assert len(rows) == 2
    assert report.counts["logins"] == 2


def test_an_article_that_only_shows_the_login_page_is_named_and_never_taken_for_one(harvest, server):
    server.closed.add(f"{SECTION}/content/1/hdoc")
    rows, reasons, *_ = harvest()
    assert reasons[f"{SECTION}/content/1/hdoc"] == "login_page"
    assert len(rows) == 1


def test_an_account_that_sees_nothing_is_a_clear_error(harvest, server):
    server.closed.update(server.pages)
    with pytest.raises(PermanentError, match=r"shows the login page.*ITS_USER"):
        harvest()


def test_many_closed_articles_in_a_row_are_the_accounts_fault(harvest, server):
    server.page(SECTION, "".join(f"<a href='{SECTION}/{n}'>{n}</a>" for n in range(20)))
    server.closed.update(f"{SECTION}/{n}" for n in range(20))
    with pytest.raises(PermanentError, match="shows the login page"):
        harvest()
    assert len(server.logins) < 5


# ---- manners


def test_only_the_sections_and_their_frames_are_walked(harvest, server):
    server.page(SECTION, f"<a href='/db/other'>o</a><a href='http://127.0.0.2:1/x'>x</a><a href='{SECTION}/a.zip'>z</a>"
                         f"<a href='{SECTION}2/x'>n</a><a href='{SECTION}/content/1/hdoc#part'>1</a>")  # fmt: skip
    harvest()
    asked = [path for path in server.asked if path.startswith("/db")]
    assert asked == [SECTION, f"{SECTION}/content/1/hdoc"]


def test_robots_txt_is_honoured_with_its_delay(harvest, server):
    server.robots = f"User-agent: *\nDisallow: {SECTION}/content/1/\nCrawl-delay: 3\n"
    rows, reasons, _, _, waits = harvest()
    assert reasons[f"{SECTION}/content/1/hdoc"] == "robots"
    assert len(rows) == 1
    assert f"{SECTION}/content/1/hdoc" not in server.asked
    assert len([seconds for seconds in waits if 2 < seconds <= 3]) >= 3


def test_a_page_that_did_not_change_is_not_sent_again(harvest, server):
    first = harvest()
    server.requests.clear()
    again = harvest()
    assert again[2].counts["requests_unchanged"] == 4
    assert all("if-none-match" in headers for path, headers in server.requests if path.startswith("/db"))
    assert again[0] == first[0]
    assert again[3].key == first[3].key


def test_a_page_without_an_etag_is_asked_for_by_its_date(harvest, server):
    server.script.extend(
        [(200, {"Content-Type": "text/html", "Last-Modified": server.last_modified}, server.pages[SECTION])]
    )
    harvest()
    server.requests.clear()
    harvest()
    assert dict(server.requests)[SECTION]["if-modified-since"] == server.last_modified


def test_pages_that_are_fresh_are_not_asked_for_and_need_no_login(harvest, server):
    first = harvest()
    server.requests.clear()
    server.logins.clear()
    again = harvest(recheck_hours=24)
    assert (server.requests, server.logins) == ([], [])
    assert again[0] == first[0]


def test_a_changed_article_changes_the_key_and_navigation_does_not(harvest, server):
    key = harvest()[3].key
    server.page(
        SECTION,
        f"<p>token 123</p><a href='{SECTION}/content/1/hdoc'>1</a><a href='{SECTION}/content/2/hdoc'>2</a>",
    )
    assert harvest()[3].key == key
    server.page(f"{SECTION}/content/1/hdoc", "<h1>Статья 1</h1><pre>Возврат Новый Структура;</pre>")
    assert harvest()[3].key != key


def test_the_walk_has_an_end(harvest, server):
    rows, _, report, *_ = harvest(max_pages=2)
    assert report.counts["pages"] == 2
    assert report.counts["pages_over_the_limit"] == 1
    assert len(rows) == 1


# ---- what can go wrong


@pytest.mark.parametrize(
    ("status", "headers", "waits"),
    [(500, {}, [1]), (429, {"Retry-After": "9"}, [9, 1]), (503, {"Retry-After": "2"}, [2, 1])],
)
def test_a_server_in_trouble_is_given_time(harvest, server, status, headers, waits):
    server.script.append((status, headers, b""))
    rows, _, _, _, waited = harvest()
    assert len(rows) == 2
    assert waited == waits


def test_one_article_that_always_fails_does_not_stop_the_others(harvest, server):
    server.page(
        SECTION,
        f"<a href='{SECTION}/bad'>b</a><a href='{SECTION}/content/1/hdoc'>1</a><a href='{SECTION}/no'>n</a>",
    )
    first, *rest = [(200, {"Content-Type": "text/html"}, server.pages[SECTION]), *[(500, {}, b"")] * 3]
    server.script.extend([first, *rest])
    rows, reasons, *_ = harvest()
    assert reasons[f"{SECTION}/bad"] == "unreachable"
    assert reasons[f"{SECTION}/no"] == "not_found"
    assert len(rows) == 1


def test_an_article_that_fails_now_is_read_as_last_time(harvest, server):
    first = harvest()[0]
    server.script.extend([(200, {"Content-Type": "text/html"}, server.pages[SECTION]), *[(500, {}, b"")] * 3])
    rows, reasons, *_ = harvest()
    assert "stale" in reasons.values()
    assert rows == first


def test_a_forbidden_page_and_another_kind_of_file_are_named(harvest, server):
    server.page(
        SECTION,
        f"<a href='{SECTION}/a'>a</a><a href='{SECTION}/b'>b</a><a href='{SECTION}/content/1/hdoc'>1</a>",
    )
    html = {"Content-Type": "text/html"}
    server.script.extend(
        [
            (200, html, server.pages[SECTION]),
            (403, html, b"no"),
            (200, {"Content-Type": "application/pdf"}, b"%PDF"),
        ]
    )
    rows, reasons, *_ = harvest()
    assert reasons == {f"{SECTION}/a": "refused", f"{SECTION}/b": "not_html"}
    assert len(rows) == 1


def test_a_server_that_is_away_is_transient_and_names_the_setting(tmp_path):
    settings = ItsSettings(
        USER, PASSWORD, base_url="http://127.0.0.1:1", manners=ItsManners(delay_seconds=0, retries=1)
    )
    with pytest.raises(TransientError, match="ITS_URL"):
        look_its(settings, tmp_path, Report(), lambda _: None)


def test_a_page_of_endless_length_is_cut_off_and_named(harvest, server):
    server.page(f"{SECTION}/content/1/hdoc", "x" * 3_000_000)
    rows, reasons, *_ = harvest(manners=ItsManners(delay_seconds=0, retries=0, max_page_bytes=1 << 20))
    assert reasons[f"{SECTION}/content/1/hdoc"] == "bad_page"
    assert len(rows) == 1


def test_a_date_that_is_none_leaves_the_time_unknown(harvest, server):
    server.last_modified = "yesterday"
    assert {row["changed_at"] for row in harvest()[0]} == {None}
