"""Bytes of a BSL file to text: encodings, line ends, compiled images. Nothing about the language."""

from __future__ import annotations

import codecs
from typing import NamedTuple

from ai_stack_assets.domain.bsl.facts import Problem

COMPILED = b"\xff\xff\xff\x7f"
"""First bytes of a compiled module: an image named .bsl in EDT, `ObjectModule.bin` in a Designer dump."""

_UTF_16 = ((codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"))


class Decoded(NamedTuple):
    text: str
    """No BOM, line ends as `\\n`; empty unless `status` is `parsed`."""
    status: str
    """`parsed`, `empty`, `protected` (compiled, no source) or `rejected`: as in `modules.status`."""
    problems: list[Problem]


def decode(data: bytes) -> Decoded:
    """Text of a module. Never raises: what cannot be text is `rejected` with a problem.

    Args:
        data: The whole file.
    """
    if data.startswith(COMPILED):
        return Decoded("", "protected", [])
    text, problems = _text(data)
    if text is None:
        return Decoded("", "rejected", problems)
    if "\0" in text:
        line = text.count("\n", 0, text.index("\0")) + 1
        problems.append(Problem("nul_bytes", f"{text.count(chr(0))} NUL characters, read as blanks", line))
        text = text.replace("\0", " ")
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    status = "empty" if not text or text.isspace() else "parsed"
    return Decoded(text if status == "parsed" else "", status, problems)


def _text(data: bytes) -> tuple[str | None, list[Problem]]:
    for mark, encoding in _UTF_16:
        if data.startswith(mark):
            try:
                return data[2:].decode(encoding), []
            except UnicodeDecodeError as error:
                text = data[2:].decode(encoding, "replace")
                return text, [_undecodable(data, error, f"broken {encoding}: replacement characters")]
    try:
        return data.removeprefix(codecs.BOM_UTF8).decode(), []
    except UnicodeDecodeError as error:
        return _single_byte(data.removeprefix(codecs.BOM_UTF8), error)


def _single_byte(data: bytes, error: UnicodeDecodeError) -> tuple[str | None, list[Problem]]:
    """cp1251 as old editors wrote it; UTF-8 with a few broken bytes; or no text at all."""
    damaged = data.decode("utf-8", "replace")
    if _share_of_letters(damaged) > 0.99:
        return damaged, [_undecodable(data, error, "broken UTF-8: read with replacement characters")]
    if data.count(0) > len(data) // 100:
        return None, [Problem("undecodable", "binary data, not a module", 1)]
    text = data.decode("cp1251", "replace")
    return text, [_undecodable(data, error, "not UTF-8: read as cp1251")]


def _share_of_letters(damaged: str) -> float:
    return 1 - damaged.count("\ufffd") / max(len(damaged), 1)


def _undecodable(data: bytes, error: UnicodeDecodeError, message: str) -> Problem:
    return Problem("undecodable", message, data.count(b"\n", 0, error.start) + 1)
