"""PostgreSQL 15, as Debian's package postgresql-15 installs it. It refuses to run as root: then it runs as nobody."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
from collections.abc import Generator
from pathlib import Path
from typing import Any
from urllib.parse import quote

from ai_stack_assets_tests.servers.certificates import certificates
from ai_stack_assets_tests.servers.process import Server, new_folder, running

PROGRAMS = Path("/usr/lib/postgresql/15/bin")
PASSWORD = "слово & pass/word"

# Killed processes lose nothing: what they wrote is the system's. Torn pages can still be (a write that is cut),
# so full_page_writes stays on; synchronous_commit too, or a kill would lose what was committed.
SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "fsync": "off",
    "shared_buffers": "128MB",
    "max_connections": "50",
}


class PostgresServer(Server):
    """Its superuser is `postgres`, by password. `create_database` gives a fresh one."""

    name = "PostgreSQL"

    def __init__(self, folder: Path, *, tls: bool = False, **settings: str) -> None:
        super().__init__(folder, "postgres", PASSWORD)
        self._settings = {**SETTINGS, "unix_socket_directories": str(folder), **settings}
        if tls:
            made = certificates(folder / "tls")
            self.ca = made.ca
            files = {"ssl_cert_file": made.chain, "ssl_key_file": made.key}
            self._settings |= {"ssl": "on", **{name: str(file) for name, file in files.items()}}

    @property
    def url(self) -> str:
        return self.url_of("postgres")

    def url_of(self, database: str, user: str | None = None, password: str | None = None) -> str:
        who = f"{quote(user or self.user, '')}:{quote(password or self.password, '')}"
        secure = f"?sslmode=verify-full&sslrootcert={self.ca}" if self.ca else ""
        return f"postgresql://{who}@127.0.0.1:{self.port}/{database}{secure}"

    def create_database(self, name: str) -> str:
        """Empty, whatever was there. Returns its address."""
        import psycopg

        with psycopg.connect(self.url, autocommit=True) as connection:
            connection.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
            connection.execute(f'CREATE DATABASE "{name}"')
        return self.url_of(name)

    @property
    def data(self) -> Path:
        return self.folder / "data"

    def start(self) -> None:
        if not self.data.exists():
            self._initialise()
        super().start()

    def command(self) -> list[str]:
        settings = [f"-c{name}={value}" for name, value in self._settings.items()]
        return [str(PROGRAMS / "postgres"), "-D", str(self.data), "-p", str(self.port), *settings]

    def options(self) -> dict[str, Any]:
        if os.getuid():
            return {}
        return {"user": "nobody", "group": "nogroup", "extra_groups": [], "cwd": self.folder}

    def answers(self) -> bool:
        import psycopg

        with psycopg.connect(self.url, connect_timeout=5) as connection:
            return connection.execute("SELECT 1").fetchone() == (1,)

    def _initialise(self) -> None:
        if not (PROGRAMS / "initdb").exists():
            raise RuntimeError(
                f"No {PROGRAMS}: apt-get install postgresql-15, or TEST_SERVERS=0 to leave the real servers out"
            )
        secret = self.folder / "password"
        secret.write_text(self.password)
        if not os.getuid():
            for path in (self.folder, *self.folder.rglob("*")):
                shutil.chown(path, "nobody", "nogroup")
        command = [PROGRAMS / "initdb", "-D", self.data, "-U", self.user, "-A", "scram-sha-256", "--no-sync"]
        command += ["-E", "UTF8", "--locale=C.UTF-8", f"--pwfile={secret}"]
        done = subprocess.run(command, capture_output=True, text=True, timeout=120, **self.options())
        if done.returncode:
            raise RuntimeError(f"initdb failed: {done.stderr}")


@contextlib.contextmanager
def postgres(folder: Path | None = None, *, tls: bool = False, **settings: str) -> Generator[PostgresServer]:
    """`folder` must be one that the user nobody may enter. `settings`: of `postgresql.conf`."""
    with running(PostgresServer(new_folder("postgres", folder), tls=tls, **settings)) as server:
        yield server
