"""Elasticsearch 9.5 from Maven Central, on Java 21: the core server, without the modules that Maven has not.

So it has no delete-by-query, no reindex, no scripts and no security: with `tls`, a gateway before it speaks HTTPS and
asks for a password or an API key. Main.java and Analysis.java in `java/` start it and stand in for analysis-common.
"""

from __future__ import annotations

import contextlib
import json
import subprocess
import urllib.request
from collections.abc import Generator
from pathlib import Path

from ai_stack_assets_tests.servers.certificates import certificates
from ai_stack_assets_tests.servers.gateway import Gateway
from ai_stack_assets_tests.servers.process import Server, free_port, new_folder, running
from ai_stack_assets_tests.servers.tools import java, maven, once

VERSION = "9.5.3"
COMPILER = "org.eclipse.jdt:ecj:3.46.0"
SOURCES = Path(__file__).parent / "java"

_DESCRIPTOR = f"""description={{name}}
name={{name}}
classname={{main}}
version={VERSION}
elasticsearch.version={VERSION}
java.version=21
extended.plugins=
has.native.controller=false
"""


def libraries() -> Path:
    """`core/*.jar`, `classes`, `modules/<name>/*.jar`."""
    return once(f"elasticsearch-{VERSION}", _make)


def _make(folder: Path) -> None:
    core, compiler = folder / "core", folder / "compiler"
    for each in (core, compiler):
        each.mkdir()
    group = "org.elasticsearch"
    maven(core, f"{group}:elasticsearch:{VERSION}", f"{group}.plugin:transport-netty4:{VERSION}")
    maven(compiler, COMPILER)
    _module(folder, "transport-netty4", "org.elasticsearch.transport.netty4.Netty4Plugin")
    for jar in (*core.glob("netty-*.jar"), *core.glob("transport-netty4-*.jar")):
        jar.rename(folder / "modules" / "transport-netty4" / jar.name)
    analysis = _module(folder, "analysis", "servers.Analysis")
    (ecj,) = compiler.glob("ecj-*.jar")
    jars = ":".join(str(jar) for jar in core.glob("*.jar"))
    for source, target in (("Main", folder / "classes"), ("Analysis", folder / "draft")):
        command = [
            java(),
            "-jar",
            str(ecj),
            "-21",
            "-nowarn",
            "-encoding",
            "UTF-8",
            "-d",
            str(target),
            "-cp",
            jars,
        ]
        subprocess.run([*command, str(SOURCES / f"{source}.java")], check=True, timeout=120)
    _jar(folder / "draft", analysis / "analysis.jar")


def _module(folder: Path, name: str, main: str) -> Path:
    module = folder / "modules" / name
    module.mkdir(parents=True)
    (module / "plugin-descriptor.properties").write_text(_DESCRIPTOR.format(name=name, main=main))
    return module


def _jar(classes: Path, jar: Path) -> None:
    import zipfile

    with zipfile.ZipFile(jar, "w") as archive:
        for file in classes.rglob("*.class"):
            archive.write(file, file.relative_to(classes))


class ElasticsearchServer(Server):
    """`gateway` stands before it when it was asked for TLS."""

    name = "Elasticsearch"
    gateway: Gateway | None = None
    api_key = ""

    def __init__(
        self, folder: Path, *, tls: bool = False, memory_mb: int = 512, is_optimised: bool = False
    ) -> None:
        super().__init__(folder, "elastic", "горячий & чай" if tls else "")
        self._memory_mb, self._is_optimised = memory_mb, is_optimised
        self._transport = free_port()
        if tls:
            made = certificates(folder / "tls")
            self.ca, self.api_key = made.ca, "a2V5OnNlY3JldA=="
            self.gateway = Gateway(self.direct, made, (self.user, self.password), self.api_key)

    @property
    def url(self) -> str:
        return self.gateway.url if self.gateway else self.direct

    @property
    def direct(self) -> str:
        """Past the gateway."""
        return f"http://127.0.0.1:{self.port}"

    def command(self) -> list[str]:
        made = libraries()
        compiler = [] if self._is_optimised else ["-XX:TieredStopAtLevel=1"]
        return [
            java(), f"-Xms{self._memory_mb}m", f"-Xmx{self._memory_mb}m", "-XX:+UseSerialGC", *compiler,
            "-Dlog4j2.disable.jmx=true", f"-Des.path.home={self.folder}", "-Djava.awt.headless=true",
            "--enable-native-access=ALL-UNNAMED", "--add-opens=java.base/java.nio=ALL-UNNAMED",
            "-cp", f"{made / 'classes'}:{made / 'core'}/*",
            "servers.Main", str(self.folder), str(self.port), str(self._transport), str(made / "modules"),
        ]  # fmt: skip

    def answers(self) -> bool:
        """Green or yellow: the shards of before are back too."""
        with urllib.request.urlopen(f"{self.direct}/_cluster/health?timeout=1s", timeout=5) as answer:
            return json.load(answer)["status"] != "red"

    def empty(self) -> None:
        """As new: other tests left indexes, some of another mapping."""
        with urllib.request.urlopen(f"{self.direct}/_all/_settings", timeout=30) as answer:
            names = list(json.load(answer))
        for name in names:
            urllib.request.urlopen(
                urllib.request.Request(f"{self.direct}/{name}", method="DELETE"), timeout=30
            ).close()


@contextlib.contextmanager
def elasticsearch(
    folder: Path | None = None, *, tls: bool = False, memory_mb: int = 512, is_optimised: bool = False
) -> Generator[ElasticsearchServer]:
    folder = new_folder("elasticsearch", folder)
    made = ElasticsearchServer(folder, tls=tls, memory_mb=memory_mb, is_optimised=is_optimised)
    with contextlib.ExitStack() as stack:
        if made.gateway:
            stack.enter_context(made.gateway)
        yield stack.enter_context(running(made))
