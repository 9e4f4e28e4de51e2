"""Servers, URLs and schema versions; what is kept in them: `test_postgres`."""

import errno
import multiprocessing
import os
import shutil
import socket
import subprocess
import traceback
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psutil
import psycopg
import pytest
from alembic.script import ScriptDirectory

from ai_stack_assets.domain.common.failures import PermanentError, TransientError
from ai_stack_assets.domain.common.lake import Lake
from ai_stack_assets.domain.onec.tables import TABLES
from ai_stack_assets.domain.stores.postgres import embedded, migrate
from ai_stack_assets.domain.stores.postgres.client import Postgres
from ai_stack_assets.domain.stores.postgres.errors import is_transient
from ai_stack_assets.domain.stores.sync import compare, synchronise
from ai_stack_assets_tests.domain.stores import table_lake as made

TYPES = {"text": "text", "json": "jsonb", "int": "integer", "bool": "boolean"}


@pytest.fixture(scope="module")
def url(tmp_path_factory) -> str:
    return embedded.serve(tmp_path_factory.mktemp("server") / "pg")


@pytest.fixture
def postgres(url, request) -> Postgres:
    """A database of its own on the server."""
    name = f"test_{abs(hash(request.node.name))}"
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
    return Postgres(url.replace("/postgres?", f"/{name}?"))


def test_the_database_has_the_columns_of_the_lake_tables(postgres):
    with postgres.connected() as connection:
        found = connection.execute(
            "SELECT table_name, column_name, data_type, is_nullable = 'YES' FROM information_schema.columns "
            "WHERE table_schema = 'onec' AND column_name NOT IN ('configuration', 'search') "
            "AND table_name = ANY(%s) ORDER BY table_name, ordinal_position",
            [list(TABLES)],
        ).fetchall()
    lake = [(t.name, c.name, TYPES[c.type], c.nullable) for t in TABLES.values() for c in t.columns]
    assert found == sorted(lake, key=lambda column: column[0])


def test_columns_are_described_in_the_database(postgres):
    with postgres.connected() as connection:
        (text,) = connection.execute("SELECT col_description('onec.methods'::regclass, 2)").fetchone()
    assert text == TABLES["methods"].columns[0].description


def test_the_newest_schema_version_is_the_one_in_the_code(postgres):
    assert ScriptDirectory.from_config(migrate.configuration()).get_current_head() == migrate.HEAD
    with postgres.connected() as connection:
        assert migrate.schema_version(connection) == migrate.HEAD


def test_many_that_open_a_new_database_at_once_make_one_schema(postgres):
    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(lambda _: postgres.configurations(), range(4))) == [[]] * 4


def test_a_database_of_a_newer_release_is_left_alone(postgres):
    with postgres.connected() as connection:
        connection.execute("UPDATE onec.schema_version SET version_num = '9999'")
    with pytest.raises(PermanentError, match=r"9999.*newer"):
        postgres.configurations()


def test_an_upgrade_keeps_the_data(postgres, tmp_path, monkeypatch):
    version = made.version(Lake(tmp_path / "lake"), "v1")
    with postgres.open("demo") as store:
        synchronise(store, version)
    folder = tmp_path / "migrations"
    shutil.copytree(Path(migrate.__file__).parent / "migrations", folder)
    (folder / "versions" / "next.py").write_text(
        f"from alembic import op\nrevision, down_revision = 'next', '{migrate.HEAD}'\n"
        "def upgrade():\n    op.execute('ALTER TABLE onec.modules ADD COLUMN added text')\n"
    )
    config = migrate.configuration()
    config.set_main_option("script_location", str(folder))
    monkeypatch.setattr(migrate, "configuration", lambda: config)
    monkeypatch.setattr(migrate, "HEAD", "next")

    with postgres.open("demo") as store:
        assert all(d.is_empty for d in compare(store, version))
        assert store.connection.execute("SELECT added FROM onec.modules").fetchall() == [(None,)]
        assert migrate.schema_version(store.connection) == "next"


def test_a_database_that_cannot_hold_russian_is_refused(url):
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("CREATE DATABASE latin ENCODING 'LATIN1' LOCALE 'C' TEMPLATE template0")
    with pytest.raises(PermanentError, match=r"LATIN1.*POSTGRES_URL"):
        Postgres(url.replace("/postgres?", "/latin?")).configurations()


def test_a_missing_server_names_the_setting_and_no_password():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with pytest.raises(TransientError, match=f"127.0.0.1:{port}.*POSTGRES_URL") as caught:
        Postgres(f"postgresql://me:secret@127.0.0.1:{port}/db").configurations()
    assert "secret" not in str(caught.value)


def test_a_silent_server_is_given_up_in_time():
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        port = silent.getsockname()[1]
        with pytest.raises(TransientError, match="POSTGRES_URL"):
            Postgres(f"postgresql://127.0.0.1:{port}/db", connect_seconds=2).configurations()


@pytest.mark.parametrize("url", ["not a url", "http://host/db", "postgresql://h/db?nonsense=1"])
def test_a_bad_url_is_permanent(url):
    with pytest.raises(PermanentError, match="POSTGRES_URL"):
        Postgres(url).configurations()


@pytest.mark.parametrize(
    "url",
    [
        "postgresql+psycopg2://me:sekret@host/db",
        "postgresql:/me:sekret@host/db",
        "postgresql://me:sek/ret@host/db",
        "postgresql://me:sek@ret@host/db",
        "postgresql://me:sekret@host/db?nonsense=1",
    ],
)
def test_a_mistyped_url_does_not_show_its_password(url):
    with pytest.raises(PermanentError, match="POSTGRES_URL") as caught:
        Postgres(url).configurations()
    shown = "".join(traceback.format_exception(caught.value)) + repr(Postgres(url)) + Postgres(url).server
    assert not any(part in shown for part in ("sek", "ret@"))


def test_an_unknown_database_or_user_is_permanent(url):
    for bad in (url.replace("/postgres?", "/nowhere?"), url.replace("postgres:@", "nobody:@")):
        with pytest.raises(PermanentError, match="POSTGRES_URL"):
            Postgres(bad).configurations()


def test_missing_rights_are_permanent(postgres):
    with postgres.connected() as connection:
        connection.execute("CREATE ROLE reader LOGIN")
    with pytest.raises(PermanentError, match=r"permission denied.*POSTGRES_URL"):
        Postgres(postgres.url.replace("postgres:@", "reader:@")).configurations()


@pytest.mark.parametrize(
    ("message", "transient"),
    [
        ('connection failed: FATAL:  password authentication failed for user "me"', False),
        ('connection failed: ВАЖНО:  пользователь "me" не прошёл проверку подлинности', False),
        ("connection failed: fe_sendauth: no password supplied", False),
        ("connection failed: FATAL:  the database system is starting up", True),
        ("connection failed: ВАЖНО:  система баз данных запускается", True),
        ("connection failed: FATAL:  sorry, too many clients already", True),
        ("connection failed: server closed the connection unexpectedly", True),
        ("connection timeout expired", True),
    ],
)
def test_what_a_server_says_while_connecting_is_understood(message, transient):
    assert is_transient(psycopg.OperationalError(message)) is transient


def _join(folder: Path, answers) -> None:
    url = embedded.serve(folder)
    with psycopg.connect(url) as connection:
        answers.put(connection.execute("SELECT pg_postmaster_start_time()::text").fetchone()[0])


def test_processes_share_one_embedded_server_and_its_data_outlive_them(tmp_path):
    spawn, folder = multiprocessing.get_context("spawn"), tmp_path / "data" / ("long" * 30) / "pg"
    answers = spawn.Queue()
    for _ in range(2):
        processes = [spawn.Process(target=_join, args=(folder, answers)) for _ in range(2)]
        for process in processes:
            process.start()
        for process in processes:
            process.join(60)
            assert process.exitcode == 0
        answers.get(timeout=5), answers.get(timeout=5)
    assert (folder / "PG_VERSION").exists()
    assert not (folder / "postmaster.pid").exists()


def test_an_embedded_server_that_was_killed_is_started_again_with_its_data(tmp_path):
    folder = tmp_path / "pg"
    postgres = Postgres(embedded.serve(folder))
    version = made.version(Lake(tmp_path / "lake"), "v1")
    with postgres.open("demo") as store:
        synchronise(store, version)
    killed = psutil.Process(int((folder / "postmaster.pid").read_text().split()[0]))
    killed.kill()
    killed.wait(10)
    with pytest.raises(TransientError, match="POSTGRES_URL"):
        postgres.configurations()

    with Postgres(embedded.serve(folder)).open("demo") as store:
        assert all(d.is_empty for d in compare(store, version))


@pytest.mark.parametrize(
    ("error", "is_running", "is_set_aside"),
    [
        (subprocess.CalledProcessError(1, "pg_ctl"), False, True),
        (subprocess.CalledProcessError(1, "pg_ctl"), True, False),
        (subprocess.TimeoutExpired("pg_ctl", 10), False, False),
        (OSError(errno.ENOSPC, "No space left on device"), False, False),
    ],
    ids=["ended", "ended beside a live one", "still recovering", "no room"],
)
def test_a_rebuild_sets_aside_only_a_database_that_ended(
    tmp_path, monkeypatch, error, is_running, is_set_aside
):
    folder = tmp_path / "pg"
    folder.mkdir()
    (folder / "log").write_text("the end")
    if is_running:
        (folder / "postmaster.pid").write_text(f"{os.getpid()}\n")

    def fail():
        raise error

    monkeypatch.setattr(embedded, "_package", fail)
    with (
        pytest.raises((PermanentError, TransientError)) as said,
        embedded.EmbeddedPostgres(folder).open("demo", rebuild=True),
    ):
        pass
    assert (tmp_path / "pg.damaged-1").exists() is is_set_aside
    assert ("--rebuild" in str(said.value)) is isinstance(said.value, PermanentError)


def test_an_embedded_server_in_an_unusable_folder_is_permanent(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(PermanentError, match="embedded PostgreSQL"):
        embedded.serve(tmp_path / "file" / "pg")
