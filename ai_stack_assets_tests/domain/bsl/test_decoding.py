"""Bytes to text: encodings, line ends, compiled images."""

from __future__ import annotations

import codecs

import pytest

from ai_stack_assets.domain.bsl.decoding import decode

MODULE = "Процедура А()\n\tСообщить(1);\nКонецПроцедуры\n"


@pytest.mark.parametrize(
    "data",
    [
        MODULE.encode(),
        codecs.BOM_UTF8 + MODULE.encode(),
        codecs.BOM_UTF16_LE + MODULE.encode("utf-16-le"),
        codecs.BOM_UTF16_BE + MODULE.encode("utf-16-be"),
        MODULE.replace("\n", "\r\n").encode(),
        MODULE.replace("\n", "\r").encode(),
    ],
    ids=["utf-8", "utf-8 with BOM", "utf-16-le", "utf-16-be", "CRLF", "CR"],
)
def test_every_usual_encoding_and_line_end_gives_the_same_text(data: bytes) -> None:
    assert decode(data) == (MODULE, "parsed", [])


def test_cp1251_is_read_and_noted() -> None:
    decoded = decode(MODULE.encode("cp1251"))
    assert (decoded.text, decoded.status) == (MODULE, "parsed")
    assert [(p.reason, p.line) for p in decoded.problems] == [("undecodable", 1)]


def test_a_few_broken_bytes_do_not_turn_utf8_into_another_alphabet() -> None:
    data = MODULE.encode() * 20 + b"// \xff\xfe\n" + MODULE.encode()
    decoded = decode(data)
    assert decoded.text.startswith(MODULE)
    assert decoded.problems[0].line == 61


def test_nul_characters_are_blanks_and_noted() -> None:
    decoded = decode("А();\nБ\0\0();".encode())
    assert decoded.text == "А();\nБ  ();"
    assert [(p.reason, p.line) for p in decoded.problems] == [("nul_bytes", 2)]


def test_a_compiled_image_is_protected_and_not_read() -> None:
    assert decode(b"\xff\xff\xff\x7f\x00\x02\x00\x00") == ("", "protected", [])


@pytest.mark.parametrize("data", [b"", codecs.BOM_UTF8, b"\r\n \t\r\n"])
def test_nothing_but_blanks_is_empty(data: bytes) -> None:
    assert decode(data).status == "empty"


def test_binary_data_is_rejected() -> None:
    decoded = decode(bytes(range(256)) * 20 + b"\0" * 500)
    assert (decoded.text, decoded.status) == ("", "rejected")
    assert decoded.problems


def test_half_a_character_of_utf16_is_noted() -> None:
    decoded = decode(codecs.BOM_UTF16_LE + MODULE.encode("utf-16-le")[:-1])
    assert decoded.text.startswith("Процедура А()")
    assert decoded.problems
