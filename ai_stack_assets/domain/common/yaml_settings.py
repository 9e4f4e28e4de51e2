"""Settings files in YAML → frozen dataclasses: every key has a default, a wrong one is an error that names it."""

from __future__ import annotations

import dataclasses
import difflib
from pathlib import Path
from typing import Any, TypeVar, get_args, get_type_hints

import msgspec

from ai_stack_assets.domain.common.failures import PermanentError

SECRETS = frozenset({"token", "user", "password"})
"""Keys that belong in the environment, whatever the section."""
T = TypeVar("T")


def read(file: Path, kind: type[T]) -> T:
    """The settings; all defaults when there is no file.

    Raises:
        PermanentError: the file cannot be read; a key in it is unknown, or its value of another type.
    """
    import yaml

    if not file.exists():
        return kind()
    try:
        given = yaml.safe_load(file.read_text(encoding="utf-8")) or {}
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise PermanentError(f"{file}: {error}") from error
    return of(given, kind, str(file))


def of(given: Any, kind: type[T], place: str) -> T:
    """The settings from keys and values. Raises PermanentError that names the place, and a wrong key or value in it."""
    _refuse_unknown(given, kind, place)
    try:
        return msgspec.convert(given, kind)
    except msgspec.ValidationError as error:
        raise PermanentError(f"{place}: {error}") from error


def _refuse_unknown(given: Any, kind: Any, place: str) -> None:
    """Raises PermanentError for a key that the dataclass `kind`, or a section of it, does not have."""
    if not isinstance(given, dict):
        raise PermanentError(f"{place}: expected keys and values, found {given!r}")
    known = get_type_hints(kind)
    for name, value in given.items():
        if name in SECRETS:
            raise PermanentError(
                f"{place}: {name} is a secret: set it in the environment or in .env, never here"
            )
        if name not in known:
            close = difflib.get_close_matches(str(name), known, 1)
            raise PermanentError(
                f"{place}: unknown key {name!r}{f', did you mean {close[0]!r}?' if close else ''}"
            )
        section = known[name]
        if dataclasses.is_dataclass(section):
            _refuse_unknown(value or {}, section, f"{place}: {name}")
        elif isinstance(value, dict) and dataclasses.is_dataclass(
            entry := (get_args(section) or (None,))[-1]
        ):
            for key, each in value.items():
                _refuse_unknown(each or {}, entry, f"{place}: {name}: {key}")
