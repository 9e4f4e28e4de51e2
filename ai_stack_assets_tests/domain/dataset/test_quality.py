"""The stage: nothing is lost, what is published is redacted and scored, and the result does not depend on how it was made."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from ai_stack_assets.domain.common.hashing import text_hash
from ai_stack_assets.domain.common.lake import Lake, Version
from ai_stack_assets.domain.dataset import quality, records, stage
from ai_stack_assets.domain.dataset.quality import QualitySettings, refine
from ai_stack_assets.domain.dataset.quality_check import check_mean_score
from ai_stack_assets.domain.dataset.quality_sample import Sample
from ai_stack_assets.domain.dataset.quality_score import WEIGHTS, parts, quality_score
from ai_stack_assets_tests.domain.dataset.makers import GOOD, WEEK, a_record, a_version, rows_of

BROKEN = GOOD.replace("КонецЕсли;", "")
WITH_MAIL = GOOD.replace("копеек", "копеек, см. kuznetsova@firma.su")
DOC = "Сумма со скидкой.\n\nПараметры:\n Сумма - Число\n Скидка - Число\n\nВозвращаемое значение:\n Число"


def refined(tmp_path: Path, rows: list[dict[str, Any]], workers: int = 1, **settings: Any) -> Version:
    given = a_version(tmp_path, rows)
    write = lambda parts: refine(given, parts, QualitySettings(**settings), workers=workers)  # noqa: E731
    return stage.build(Lake(tmp_path / f"refined{workers}"), WEEK, "made", write)[0]


def several(count: int = 12) -> list[dict[str, Any]]:
    """Good ones, broken ones, and ones with a secret, in turn."""
    codes = (GOOD, BROKEN, WITH_MAIL)
    return [
        a_record(codes[n % 3].replace("100, 2", f"{100 + n}, 2"), path=f"src/{n}.bsl", doc_comment=DOC)
        for n in range(count)
    ]


def test_every_row_is_kept_or_rejected_once_and_in_order(tmp_path: Path) -> None:
    rows = several()
    version = refined(tmp_path, rows)
    kept, rejected = rows_of(version), rows_of(version, "rejected")
    assert [row["id"] for row in kept] == [row["id"] for n, row in enumerate(rows) if n % 3 != 1]
    assert [row["id"] for row in rejected] == [row["id"] for n, row in enumerate(rows) if n % 3 == 1]


def test_a_rejected_row_keeps_its_columns_and_gets_a_reason(tmp_path: Path) -> None:
    (row,) = [a_record(BROKEN)]
    (rejected,) = rows_of(refined(tmp_path, [row]), "rejected")
    assert {name: rejected[name] for name in records.COLUMNS} == row
    assert (rejected["reason"], rejected["detail"]) == ("parse_errors", "Если is not closed")


def test_the_published_text_is_redacted_and_its_hash_is_that_of_the_text(tmp_path: Path) -> None:
    row = a_record(WITH_MAIL, doc_comment=DOC + "\nАвтор: Анна Кузнецова")
    version = refined(tmp_path, [row])
    (kept,) = rows_of(version)
    assert "копеек, см. <EMAIL>" in kept["code"]
    assert kept["doc_comment"].endswith("Автор: <PERSON>")
    assert kept["content_hash"] == text_hash(records.normalised(kept["code"])) != row["content_hash"]
    assert kept["id"] == row["id"]
    assert version.manifest["facts"]["redactions"] == {"email": 1, "person": 1}
    assert version.manifest["facts"]["redacted_records"] == 1


def test_what_was_redacted_is_listed_by_place_and_without_its_value(tmp_path: Path) -> None:
    row = a_record(WITH_MAIL)
    version = refined(tmp_path, [row])
    (found,) = rows_of(version, "redactions")
    (kept,) = rows_of(version)
    assert (found["record_id"], found["column"], found["kind"], found["line"]) == (
        row["id"],
        "code",
        "email",
        5,
    )
    assert kept["code"][found["position"] :].startswith("<EMAIL>")
    assert "kuznetsova" not in str(rows_of(version)) + str(rows_of(version, "redactions"))


def test_a_default_value_in_the_signature_is_redacted_too(tmp_path: Path) -> None:
    secret = 'Процедура Войти(Пароль = "k7-Tr9")'
    row = a_record(
        f"{secret} Экспорт\n\tПроверить(Пароль);\n\tОткрыть(Пароль);\nКонецПроцедуры", signature=secret
    )
    (kept,) = rows_of(refined(tmp_path, [row]))
    assert "k7-Tr9" not in kept["code"] + kept["signature"]


def test_records_that_redaction_made_equal_are_published_once(tmp_path: Path) -> None:
    one = a_record(WITH_MAIL, path="src/1.bsl")
    two = a_record(WITH_MAIL.replace("kuznetsova@", "smirnov@"), path="src/2.bsl")
    version = refined(tmp_path, [one, two])
    assert [row["id"] for row in rows_of(version)] == [one["id"]]
    (rejected,) = rows_of(version, "rejected")
    assert (rejected["id"], rejected["reason"], rejected["detail"]) == (
        two["id"],
        quality.DUPLICATE,
        one["id"],
    )


def test_several_processes_give_what_one_gives(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(quality, "INLINE_ROWS", 0)
    monkeypatch.setattr(quality, "_BATCH", 2)
    rows = several(9)
    one, two = refined(tmp_path, rows), refined(tmp_path, rows, workers=2)
    for table in ("records", "rejected", "redactions"):
        assert rows_of(one, table) == rows_of(two, table)
    assert one.manifest["facts"] == two.manifest["facts"]


def test_the_numbers_add_up(tmp_path: Path) -> None:
    facts = refined(tmp_path, several()).manifest["facts"]
    assert facts["rows_in"] == facts["rows_out"] + sum(facts["rejected"].values()) == 12
    assert sum(facts["score_histogram"]) == facts["rows_out"] == 8
    assert facts["rejected"] == {"parse_errors": 4}


def test_without_rows_all_tables_are_there(tmp_path: Path) -> None:
    version = refined(tmp_path, [])
    assert set(version.manifest["tables"]) == {"records", "rejected", "redactions"}
    assert version.manifest["facts"]["mean_score"] is None


def test_refining_again_changes_nothing_more(tmp_path: Path) -> None:
    once = rows_of(refined(tmp_path, several()))
    again = rows_of(refined(tmp_path / "again", once))
    assert again == once


# ---- the score


def score(code: str, doc_comment: str = "") -> float:
    return quality_score(Sample({"code": code, "doc_comment": doc_comment}))


def test_a_documented_method_in_good_form_is_near_one() -> None:
    assert score(GOOD, DOC) > 0.95


def test_the_weights_are_those_of_a_mean() -> None:
    assert sum(WEIGHTS.values()) == pytest.approx(1)
    assert set(parts(Sample({"code": GOOD}))) == set(WEIGHTS)


@pytest.mark.parametrize(
    ("part", "code", "doc_comment"),
    [
        ("documented", GOOD, ""),
        ("named", GOOD.replace("Сумма", "с").replace("Скидка", "а1"), DOC),
        ("simple", GOOD.replace("\tВозврат", "\tЕсли А Тогда\n" * 9 + "\tКонецЕсли;\n" * 9 + "\tВозврат"), DOC),
        ("sized", GOOD.replace("\tВозврат", "\tЗаписать(Сумма);\n" * 200 + "\tВозврат"), DOC),
        ("laid_out", GOOD.replace("\t", ""), DOC),
        ("clean", GOOD.replace("\tВозврат", "\tПопытка\n\t\tА();\n\tИсключение\n\tКонецПопытки;\n\tВозврат"), DOC),
    ],
)  # fmt: skip
def test_a_fault_lowers_its_part_and_the_score(part: str, code: str, doc_comment: str) -> None:
    good, bad = (parts(Sample({"code": c, "doc_comment": d})) for c, d in ((GOOD, DOC), (code, doc_comment)))
    assert bad[part] < good[part]
    assert score(code, doc_comment) < score(GOOD, DOC)


def test_renamed_to_letters_a_method_is_junk_whatever_its_comment() -> None:
    names = ("СуммаСоСкидкой", "Сумма", "Скидка", "Окр", "НСтр")
    code = GOOD
    for number, name in enumerate(names):
        code = code.replace(name, f"а{number}")
    assert score(code, DOC) < 0.5


# ---- the gate


def facts(**values: Any) -> dict[str, Any]:
    return {
        "mean_score": 0.9,
        "mean_score_publishable": 0.9,
        "score_histogram": [0] * 20,
        "rows_out": 10,
        **values,
    }


def test_a_good_mean_passes_the_gate() -> None:
    result = check_mean_score(facts(), QualitySettings())
    assert (result.passed, result.actual, result.threshold) == (True, 0.9, 0.8)


@pytest.mark.parametrize("mean", [0.8, 0.5])
def test_a_mean_that_does_not_exceed_the_threshold_stops_publishing(mean: float) -> None:
    result = check_mean_score(facts(mean_score_publishable=mean), QualitySettings())
    assert (result.passed, result.severity) == (False, "error")


def test_the_threshold_can_be_set() -> None:
    assert check_mean_score(facts(mean_score_publishable=0.6), QualitySettings(least_mean_score=0.5)).passed


def test_with_nothing_publishable_the_mean_of_all_counts() -> None:
    assert check_mean_score(facts(mean_score_publishable=None, mean_score=0.85), QualitySettings()).passed


def test_nothing_left_stops_publishing() -> None:
    nothing = facts(mean_score_publishable=None, mean_score=None, rows_out=0)
    assert not check_mean_score(nothing, QualitySettings()).passed
