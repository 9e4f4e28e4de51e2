"""Methods of one file and whose module it is."""

import os

import pytest

from ai_stack_assets.domain.dataset.sources.bsl_methods import count_tokens, module_place, parse_file, records
from ai_stack_assets_tests.domain.dataset.sources.repositories import METHOD


def rows(data: bytes, **place):
    return list(records(parse_file(data), source="github", repository="a/b", path="m.bsl", **place))


def test_a_method_becomes_a_record_with_all_that_its_text_says():
    text = "&НаСервере\nАсинх Процедура Начать(Знач А,\n\tБ = 1) // комментарий\n\tА = Б; // ещё\nКонецПроцедуры\n"
    (row,) = rows(text.encode(), commit="c", licence="MIT")
    assert row["method_name"] == "Начать"
    assert row["signature"] == "Асинх Процедура Начать(Знач А, Б = 1)"
    assert (row["directive"], row["is_export"], row["start_line"]) == ("&НаСервере", False, 2)
    assert row["code"].startswith("Асинх Процедура") and row["code"].endswith("КонецПроцедуры")
    assert row["tokens"] == 16
    assert row["provenances"][0]["licence"] == "MIT"


@pytest.mark.parametrize(
    ("code", "tokens"),
    [("", 0), ("А = Б;", 4), ('А = "б "" в\n|г"; // д', 4), ("// only", 0), ('А("', 3), ("А = 1.5", 3)],
)
def test_tokens_are_counted_without_comments(code, tokens):
    assert count_tokens(code) == tokens


def test_an_english_method_keeps_its_language():
    (row,) = rows(b"Function Add(A) Export\n\tReturn A;\nEndFunction")
    assert row["signature"] == "Function Add(A) Export"


def test_methods_of_one_name_have_ids_of_their_own():
    first, second = rows((METHOD + METHOD).encode())
    assert first["id"] != second["id"]
    assert first["content_hash"] == second["content_hash"]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1251", "utf-16"])
def test_any_encoding_gives_the_same_code(encoding):
    (row,) = rows(METHOD.encode(encoding))
    assert row["method_name"] == "Сумма"
    assert row["doc_comment"] == "Складывает."
    assert "Возврат А + Б;" in row["code"]


def test_what_is_no_text_is_rejected_and_what_is_compiled_is_named_so():
    compressed = os.urandom(20_000)
    assert parse_file(compressed).status == "rejected"
    assert parse_file(b"PK\x03\x04" + bytes(5000)).status == "rejected"
    assert parse_file(b"\xff\xff\xff\x7fimage").status == "protected"
    assert parse_file(b"\xef\xbb\xbf \n").status == "empty"


def test_a_method_without_an_end_is_read_and_the_problem_named():
    facts = parse_file("Процедура А()\n\tБ = 1;\n".encode())
    assert [m.method_name for m in facts.methods] == ["А"]
    assert "has no end" in facts.problem


@pytest.mark.parametrize(
    ("path", "owner", "kind"),
    [
        ("src/cf/Catalogs/Валюты/Ext/ObjectModule.bsl", "Catalog.Валюты", "ObjectModule"),
        ("Catalogs/Валюты/Forms/Список/Ext/Form/Module.bsl", "Catalog.Валюты.Form.Список", "FormModule"),
        ("a/src/Catalogs/Валюты/Forms/Список/Module.bsl", "Catalog.Валюты.Form.Список", "FormModule"),
        ("exts/e/src/CommonModules/Общий/Module.bsl", "CommonModule.Общий", "CommonModule"),
        (
            "DataProcessors/Tasks/Commands/Go/CommandModule.bsl",
            "DataProcessor.Tasks.Command.Go",
            "CommandModule",
        ),
        ("src/HTTPServices/API/Module.bsl", "HTTPService.API", "HTTPServiceModule"),
        ("cf/Ext/SessionModule.bsl", "", "SessionModule"),
        ("src/Configuration/ManagedApplicationModule.bsl", "", "ManagedApplicationModule"),
        ("ExternalReports/Отчет/ObjectModule.bsl", "ExternalReport.Отчет", "ObjectModule"),
        ("epf/Мой/Forms/Форма/Ext/Form/Module.bsl", "", "FormModule"),
        ("scripts/Разное.bsl", "", ""),
        ("Module.bsl", "", ""),
    ],
)
def test_the_path_says_whose_module_it_is(path, owner, kind):
    assert module_place(path) == (owner, kind)
