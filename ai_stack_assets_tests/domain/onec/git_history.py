"""Writes small git repositories whose commits have the dates that a test wants."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from ai_stack_assets_tests.domain.onec.designer_xml import configuration, metadata, part, write


def module(*methods: str) -> str:
    """A module with an exported procedure for each name; `Имя=1` has that number in its body."""
    return "\n".join(
        f"Процедура {name}() Экспорт\n\tА = {body or 0};\nКонецПроцедуры\n"
        for name, _, body in (method.partition("=") for method in methods)
    )


def catalog(name: str, *attributes: str) -> str:
    return metadata("Catalog", name, children="".join(part("Attribute", a) for a in attributes))


def sources(methods: str = "Первый Второй", attributes: str = "Код", *more: str) -> dict[str, str]:
    """A configuration with a common module, a catalog and further (empty) catalogs."""
    return {
        "Configuration.xml": configuration(
            "CommonModule.Общий", "Catalog.Товары", *(f"Catalog.{m}" for m in more)
        ),
        "CommonModules/Общий.xml": metadata("CommonModule", "Общий"),
        "CommonModules/Общий/Ext/Module.bsl": module(*methods.split()),
        "Catalogs/Товары.xml": catalog("Товары", *attributes.split()),
        **{f"Catalogs/{name}.xml": catalog(name) for name in more},
    }


class Repository:
    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(parents=True)
        self.git("init", "-q", "-b", "main")

    def git(self, *arguments: str, at: str = "2020-01-01T12:00:00Z") -> str:
        who = {
            f"GIT_{who}_{what}": "test@example.org"
            for who in ("AUTHOR", "COMMITTER")
            for what in ("NAME", "EMAIL")
        }
        when = {"GIT_COMMITTER_DATE": at, "GIT_AUTHOR_DATE": at}
        none = {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_SYSTEM": os.devnull}
        done = subprocess.run(
            ["git", *arguments],
            cwd=self.folder,
            env={**os.environ, **who, **when, **none},
            check=True,
            capture_output=True,
            text=True,
        )
        return done.stdout.strip()

    def commit(self, at: str, files: dict[str, str] | None = None) -> str:
        """A commit with exactly these files (and nothing else); without any, with those of the commit before.

        Args:
            at: `2020-01-16` (noon, UTC) or with time and zone.
        """
        if files is not None:
            for old in self.git("ls-files", "-z").split("\0"):
                (self.folder / old).unlink(missing_ok=True) if old else None
            write(self.folder, files)
        self.git("add", "-A")
        self.git("commit", "-q", "--allow-empty", "-m", "changed", at=at if "T" in at else f"{at}T12:00:00Z")
        return self.git("rev-parse", "HEAD")
