"""Neo4j 5.26 Community from Maven Central, with authentication, on Java 21."""

from __future__ import annotations

import contextlib
from collections.abc import Generator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ai_stack_assets_tests.servers.certificates import certificates
from ai_stack_assets_tests.servers.process import Server, new_folder, running
from ai_stack_assets_tests.servers.tools import java, maven, once

if TYPE_CHECKING:
    from neo4j import Driver

VERSION = "5.26.30"
PASSWORD = "correct horse"

_SETTINGS = """server.default_listen_address=127.0.0.1
server.bolt.listen_address=127.0.0.1:{port}
server.bolt.advertised_address=127.0.0.1:{port}
server.http.enabled=false
server.https.enabled=false
dbms.security.auth_enabled=true
dbms.security.auth_max_failed_attempts=0
dbms.usage_report.enabled=false
server.memory.pagecache.size=128m
db.tx_log.preallocate=false
db.tx_log.rotation.size=32m
"""
_TLS = """server.bolt.tls_level=REQUIRED
dbms.ssl.policy.bolt.enabled=true
dbms.ssl.policy.bolt.base_directory={folder}
dbms.ssl.policy.bolt.private_key={key}
dbms.ssl.policy.bolt.public_certificate={chain}
dbms.ssl.policy.bolt.client_auth=NONE
"""
_OPENED = ("java.nio", "java.io", "sun.nio.ch", "java.lang")


def libraries() -> Path:
    return once(f"neo4j-{VERSION}", lambda folder: maven(folder, f"org.neo4j:neo4j:{VERSION}"))


def java_command(memory_mb: int, main: str, *arguments: str, options: Sequence[str] = ()) -> list[str]:
    """Runs one of its programs: the server, or `org.neo4j.cli.AdminTool`, which is `neo4j-admin`."""
    opened = [f"--add-opens=java.base/{package}=ALL-UNNAMED" for package in _OPENED]
    virtual_machine = [java(), f"-Xmx{memory_mb}m", "-XX:+UseSerialGC", *options, *opened]
    return [*virtual_machine, "-cp", f"{libraries()}/*", main, *arguments]


class Neo4jServer(Server):
    """`memory_mb` is the Java heap. `is_optimised`: the slower start of the full compiler, for measurements. `settings`: more
    lines of its configuration."""

    name = "Neo4j"

    def __init__(
        self,
        folder: Path,
        *,
        tls: bool = False,
        memory_mb: int = 512,
        is_optimised: bool = False,
        settings: str = "",
    ) -> None:
        super().__init__(folder, "neo4j", PASSWORD)
        self._memory_mb, self._is_optimised, self._is_new = memory_mb, is_optimised, True
        settings = _SETTINGS.format(port=self.port) + settings
        if tls:
            made = certificates(folder / "tls")
            self.ca = made.ca
            settings += _TLS.format(folder=made.key.parent, key=made.key.name, chain=made.chain.name)
        for name in ("conf", "plugins", "import"):
            (folder / name).mkdir(exist_ok=True)
        self.configuration.write_text(settings)

    @property
    def configuration(self) -> Path:
        """Read at each start."""
        return self.folder / "conf" / "neo4j.conf"

    @property
    def url(self) -> str:
        return f"{'bolt+s' if self.ca else 'bolt'}://127.0.0.1:{self.port}"

    def command(self) -> list[str]:
        compiler = [] if self._is_optimised else ["-XX:TieredStopAtLevel=1"]
        folders = [f"--home-dir={self.folder}", f"--config-dir={self.configuration.parent}", "--console-mode"]
        return java_command(
            self._memory_mb, "org.neo4j.server.CommunityEntryPoint", *folders, options=compiler
        )

    def answers(self) -> bool:
        if self._is_new:
            with self.driver("neo4j") as driver:
                change = "ALTER CURRENT USER SET PASSWORD FROM 'neo4j' TO $password"
                driver.execute_query(change, {"password": self.password}, database_="system")
            self._is_new = False
        with self.driver() as driver:
            driver.execute_query("RETURN 1")
        return True

    def driver(self, password: str | None = None) -> Driver:
        """A plain `neo4j.Driver`, to look and to damage."""
        import neo4j

        options: dict[str, Any] = {"max_transaction_retry_time": 0}
        if self.ca:
            options["trusted_certificates"] = neo4j.TrustCustomCAs(str(self.ca))
        url = self.url.replace("+s", "")
        return neo4j.GraphDatabase.driver(
            url, auth=(self.user, password or self.password), encrypted=self.ca is not None, **options
        )


@contextlib.contextmanager
def neo4j(folder: Path | None = None, **options: Any) -> Generator[Neo4jServer]:
    """Options: of `Neo4jServer`."""
    with running(Neo4jServer(new_folder("neo4j", folder), **options)) as server:
        yield server
