"""The test servers themselves: what was committed survives a kill, a paused server answers nothing, no process is left."""

from __future__ import annotations

import psutil
import psycopg
import pytest

from ai_stack_assets_tests import servers

QUICK = {"autocommit": True, "connect_timeout": 2}


def test_what_was_committed_survives_a_kill():
    with servers.postgres() as server:
        with psycopg.connect(server.url, **QUICK) as connection:
            connection.execute("CREATE TABLE kept AS SELECT generate_series(1, 1000) AS n")
        server.kill()
        assert not server.is_alive
        with pytest.raises(psycopg.OperationalError):
            psycopg.connect(server.url, **QUICK)
        server.start()
        with psycopg.connect(server.url, **QUICK) as connection:
            assert connection.execute("SELECT count(*) FROM kept").fetchone() == (1000,)


def test_a_paused_server_answers_when_it_is_resumed_and_goes_with_its_folder():
    with servers.postgres() as server:
        server.pause()
        with pytest.raises(psycopg.OperationalError, match="timeout"):
            psycopg.connect(server.url, **QUICK)
        server.resume()
        assert server.answers()
        family = [server.process.pid, *(p.pid for p in psutil.Process(server.process.pid).children())]
    assert not server.folder.exists()
    assert not any(psutil.pid_exists(pid) for pid in family)


def test_a_server_that_cannot_start_says_why():
    with (
        pytest.raises(RuntimeError, match=r"did not start(.|\n)*no_such_setting"),
        servers.postgres(no_such_setting="1"),
    ):
        pass
