"""Labels are read off the metadata and the directives; what has none has null."""

from pathlib import Path

from ai_stack_assets.domain.training import labels
from ai_stack_assets.domain.training.features import compute
from ai_stack_assets_tests.domain.training.makers import a_configuration, a_record, a_table


def subsystem_of(version) -> dict[str, str]:
    found = labels.subsystems([version])
    return dict(zip(found["object"].to_pylist(), found["subsystem"].to_pylist(), strict=True))


def test_the_label_is_the_top_level_subsystem(tmp_path: Path):
    version = a_configuration(
        tmp_path,
        {
            "Продажи": ["Document.Заказ"],
            "Продажи.Скидки": ["Catalog.Скидки"],
            "Закупки": ["Document.Счет", "Catalog.Б"],
        },
    )

    assert subsystem_of(version) == {
        "Document.Заказ": "Продажи", "Catalog.Скидки": "Продажи", "Document.Счет": "Закупки", "Catalog.Б": "Закупки",
    }  # fmt: skip


def test_a_subsystem_with_most_of_the_content_gives_way_to_those_below_it(tmp_path: Path):
    version = a_configuration(
        tmp_path,
        {
            "Типовые.Валюты": ["Catalog.Валюты"],
            "Типовые.Банки": ["Catalog.Банки"],
            "Типовые.Банки.Счета": ["Catalog.Счета"],
            "Настройки": ["Catalog.Настройки"],
        },
    )

    assert subsystem_of(version) == {
        "Catalog.Валюты": "Валюты", "Catalog.Банки": "Банки", "Catalog.Счета": "Банки", "Catalog.Настройки": "Настройки",
    }  # fmt: skip


def test_a_menu_gives_way_to_a_subsystem_that_is_none_and_the_large_to_the_small(tmp_path: Path):
    content = {
        "Меню": ["Catalog.Валюты"],
        "Ядро": ["Catalog.Валюты", "Catalog.Банки", "Catalog.А"],
        "Деньги": ["Catalog.Банки", "Catalog.Счета"],
        "Склад": ["Catalog.Товары", "Catalog.Полки"],
    }

    found = subsystem_of(a_configuration(tmp_path, content, shown=("Меню",)))

    assert (found["Catalog.Валюты"], found["Catalog.Банки"]) == ("Ядро", "Деньги")


def test_rows_get_the_labels_of_their_configuration(tmp_path: Path):
    known = labels.subsystems(
        [a_configuration(tmp_path, {"А": ["Catalog.Валюты"], "Б": ["Catalog.Банки"], "В": ["Catalog.Счета"]})]
    )
    form = {"module_type": "FormModule", "directive": "&НаСервереБезКонтекста"}
    rows = compute.compute(
        a_table(
            [
                a_record("Раз", "Catalog.Валюты"),
                a_record("Два", "Catalog.Валюты.Form.Форма", **form),
                a_record("Три", "Catalog.Валюты", configuration="other"),
                a_record("Четыре", "CommonModule.Прочее", directive="&НаКлиенте"),
            ]
        )
    )

    labelled = labels.add(rows, known)

    assert labelled["subsystem"].to_pylist() == ["А", "А", None, None]
    assert labelled["context"].to_pylist() == [None, "server_without_context", None, None]


def test_a_configuration_without_subsystems_has_no_labels(tmp_path: Path):
    assert labels.subsystems([a_configuration(tmp_path, {})]).num_rows == 0
    assert labels.subsystems([]).num_rows == 0


def test_no_label_is_a_feature():
    from ai_stack_assets.domain.training.features import definitions

    assert not set(labels.LABELS) & set(definitions.names())
