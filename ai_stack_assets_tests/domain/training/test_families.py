"""What a module's family is called."""

import pytest

from ai_stack_assets.domain.training.families import family


@pytest.mark.parametrize(
    ("owner", "expected"),
    [
        ("CommonModule.Пользователи", "пользователи"),
        ("CommonModule.ПользователиКлиент", "пользователи"),
        ("CommonModule.ПользователиСлужебныйВызовСервера", "пользователи"),
        ("CommonModule.ПользователиСлужебныйВМоделиСервиса", "пользователи"),
        ("CommonModule.ПользователиПовтИсп", "пользователи"),
        ("CommonModule.ПользователиСобытия", "пользователи"),
        ("Catalog.Пользователи.Form.ФормаЭлемента", "пользователи"),
        ("CommonModule.UsersInternalServerCall", "users"),
        ("CommonModule.РаботаСФайламиКлиентСервер", "работасфайлами"),
        ("CommonModule.УчётТоваров", "учеттоваров"),
        ("CommonModule.Сервер", "сервер"),
        ("CommonModule.КлиентСервер", "клиент"),
        ("CommonModule._", "_"),
        ("МодульКлиент", "модуль"),
        ("", ""),
    ],
)
def test_endings_that_say_where_a_module_runs_are_no_part_of_its_family(owner: str, expected: str):
    assert family(owner) == expected


@pytest.mark.parametrize("name", ["РаботаВМоделиДанных", "КлиентБанк", "СерверныеОповещения"])
def test_the_same_words_elsewhere_in_a_name_stay(name: str):
    assert family(f"CommonModule.{name}") == name.lower()
