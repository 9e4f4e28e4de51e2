"""A throw-away Neo4j for the tests: a given one, or one that Maven brings and Java runs on this machine.

`NEO4J_TEST_URI` (with NEO4J_TEST_PASSWORD) names a server whose content may be lost. Otherwise
`TEST_SERVERS=1` allows fetching Neo4j Community with Maven (123 MB, kept in the user's cache folder) and
starting it on a free port of loopback."""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Generator
from dataclasses import dataclass
from pathlib import Path

VERSION = "5.26.30"
PASSWORD = "correct horse"
START_SECONDS = 180

POM = f"""<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>tests</groupId><artifactId>neo4j-server</artifactId><version>1</version><packaging>pom</packaging>
  <dependencies>
    <dependency><groupId>org.neo4j</groupId><artifactId>neo4j</artifactId><version>{VERSION}</version></dependency>
  </dependencies>
</project>
"""
CONF = """server.default_listen_address=127.0.0.1
server.bolt.listen_address=127.0.0.1:{port}
server.http.enabled=false
server.https.enabled=false
dbms.security.auth_enabled=true
dbms.usage_report.enabled=false
server.memory.pagecache.size=64m
db.tx_log.preallocate=false
db.tx_log.rotation.size=8m
"""
OPENED = ("java.nio", "java.io", "sun.nio.ch", "java.lang")


@dataclass(frozen=True)
class Server:
    uri: str
    user: str
    password: str


def why_not() -> str:
    """Why no server can be had; empty when one can."""
    if os.environ.get("NEO4J_TEST_URI"):
        return ""
    if os.environ.get("TEST_SERVERS") != "1":
        return "needs a Neo4j: set NEO4J_TEST_URI, or TEST_SERVERS=1 to start one with Maven and Java"
    missing = [tool for tool in ("java", "mvn") if not shutil.which(tool)]
    return f"needs {' and '.join(missing)} to start a Neo4j" if missing else ""


@contextlib.contextmanager
def running(folder: Path) -> Generator[Server]:
    if uri := os.environ.get("NEO4J_TEST_URI"):
        yield Server(uri, "neo4j", os.environ.get("NEO4J_TEST_PASSWORD", ""))
        return
    port = _free_port()
    for name in ("conf", "lib", "plugins", "import"):
        (folder / name).mkdir(parents=True)
    (folder / "conf" / "neo4j.conf").write_text(CONF.format(port=port))
    opened = [f"--add-opens=java.base/{package}=ALL-UNNAMED" for package in OPENED]
    command = [
        "java", "-Xmx512m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-cp", f"{_jars()}/*", *opened,
        "org.neo4j.server.CommunityEntryPoint", f"--home-dir={folder}", f"--config-dir={folder}/conf",
        "--console-mode",
    ]  # fmt: skip
    with (folder / "server.log").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log)
    try:
        server = Server(f"bolt://127.0.0.1:{port}", "neo4j", PASSWORD)
        _set_password(server, process, folder / "server.log")
        yield server
    finally:
        process.kill()  # its data are thrown away; asked to stop, it takes ten seconds
        process.wait()


def _jars() -> Path:
    folder = (
        Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache"))
        / "ai_stack_assets_tests"
        / f"neo4j-{VERSION}"
    )
    if not folder.exists():
        draft = folder.with_suffix(".draft")
        shutil.rmtree(draft, ignore_errors=True)
        draft.mkdir(parents=True)
        (draft / "pom.xml").write_text(POM)
        goal = ["dependency:copy-dependencies", f"-DoutputDirectory={draft}", "-DincludeScope=runtime"]
        subprocess.run(["mvn", "-q", "-B", "-ntp", *goal], cwd=draft, check=True)
        draft.rename(folder)
    return folder


def _set_password(server: Server, process: subprocess.Popen, log: Path) -> None:
    import neo4j
    from neo4j.exceptions import DriverError, Neo4jError

    until = time.monotonic() + START_SECONDS
    while True:
        try:
            with neo4j.GraphDatabase.driver(server.uri, auth=("neo4j", "neo4j")) as driver:
                change = "ALTER CURRENT USER SET PASSWORD FROM 'neo4j' TO $password"
                driver.execute_query(change, {"password": server.password}, database_="system")
            return
        except (DriverError, Neo4jError):
            if process.poll() is not None or time.monotonic() > until:
                raise RuntimeError(f"Neo4j did not start: {log.read_text()[-2000:]}") from None
            time.sleep(0.5)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
