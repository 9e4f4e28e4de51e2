"""Calls: from spellings to methods of one small configuration."""

import pickle

import pytest

from ai_stack_assets.domain.bsl.facts import Assignment, Call, Method, ModuleFacts, Parameter, Variable
from ai_stack_assets.domain.bsl.resolution import Symbols, resolve_calls

OBJECTS = [
    "Configuration.Торговля",
    "CommonModule.Общий",
    "CommonModule.Глобальный",
    "CommonModule.Закрытый",
    "Catalog.Валюты",
    "Catalog.Валюты.Form.Ф",
]
FIELDS = ["Catalog.Валюты.TabularSection.Общий", "Catalog.Валюты.Form.Ф.Attribute.Общий"]
MODULES = [
    ("CommonModule.Общий.Module", "CommonModule", "CommonModule.Общий", False),
    ("CommonModule.Глобальный.Module", "CommonModule", "CommonModule.Глобальный", True),
    ("CommonModule.Закрытый.Module", "CommonModule", "CommonModule.Закрытый", None),
    ("Catalog.Валюты.ManagerModule", "ManagerModule", "Catalog.Валюты", None),
    ("Catalog.Валюты.ObjectModule", "ObjectModule", "Catalog.Валюты", None),
]
METHODS = [
    ("CommonModule.Общий.Module.Курс", "CommonModule.Общий.Module", "Курс", True),
    ("CommonModule.Общий.Module.Свой", "CommonModule.Общий.Module", "Свой", False),
    ("CommonModule.Глобальный.Module.Всем", "CommonModule.Глобальный.Module", "Всем", True),
    ("Catalog.Валюты.ManagerModule.Создать", "Catalog.Валюты.ManagerModule", "Создать", True),
    ("Catalog.Валюты.ObjectModule.Проверить", "Catalog.Валюты.ObjectModule", "Проверить", False),
]
SYMBOLS = Symbols(OBJECTS, FIELDS, MODULES, METHODS)


def method(name: str, *parameters: str) -> Method:
    given = [Parameter(p, False, None) for p in parameters]
    return Method(name, "Procedure", False, False, None, [], "", "", given, "", "", 1, 2, 0, 0, 1, 0, 0)


def facts(*calls: Call, methods: list[Method] | None = None, **rest: list) -> ModuleFacts:
    given = {"assignments": [], "queries": [], "regions": [], "variables": [], "problems": []} | rest
    return ModuleFacts(lines=9, methods=methods or [method("Проверить")], calls=list(calls), **given)


def resolve(
    receiver: str | None,
    name: str,
    kind: str = "ObjectModule",
    module: str = "Catalog.Валюты.ObjectModule",
    symbols: Symbols = SYMBOLS,
    **rest: list,
) -> tuple[str, str | None]:
    owner = module.rpartition(".")[0]
    (found,) = resolve_calls(kind, owner, module, facts(Call(0, receiver, name, 1), **rest), symbols)
    return found


@pytest.mark.parametrize(
    ("receiver", "name", "resolution", "target"),
    [
        (None, "ПРОВЕРИТЬ", "local", "Catalog.Валюты.ObjectModule.Проверить"),
        (None, "Всем", "global_module", "CommonModule.Глобальный.Module.Всем"),
        (None, "СтрДлина", "platform", None),
        (None, "StrLen", "platform", None),
        (None, "ЭтоНовый", "platform", None),
        (None, "Нигде", "unknown", None),
        ("Глобальный", "Всем", "common_module", "CommonModule.Глобальный.Module.Всем"),
        ("Закрытый", "Что", "common_module", None),
        ("ЭтотОбъект", "Проверить", "object_module", "Catalog.Валюты.ObjectModule.Проверить"),
        ("ThisObject", "Write", "platform", None),
        ("Справочники.валюты", "создать", "manager_module", "Catalog.Валюты.ManagerModule.Создать"),
        ("Catalogs.Валюты", "Создать", "manager_module", "Catalog.Валюты.ManagerModule.Создать"),
        ("Справочники.Валюты", "НайтиПоКоду", "platform", None),
        ("Справочники.Валюты", "Неведомый", "manager_module", None),
        ("Справочники.Нет", "Неведомый", "unknown", None),
        ("Справочники", "ТипВсеСсылки", "platform", None),
        ("Метаданные.Справочники.Валюты", "ПолноеИмя", "platform", None),
        ("Запрос", "Выполнить", "unknown", None),
    ],
)
def test_a_call_resolves_by_its_spelling(receiver, name, resolution, target):
    assert resolve(receiver, name) == (resolution, target)


def test_an_exported_method_of_a_common_module_is_found_without_regard_to_case():
    found = resolve("общий", "КУРС", kind="CommonModule", module="CommonModule.Глобальный.Module")
    assert found == ("common_module", "CommonModule.Общий.Module.Курс")


def test_a_method_that_is_not_exported_is_none_of_the_module():
    assert resolve("Общий", "Свой", kind="CommonModule", module="CommonModule.Глобальный.Module")[1] is None


@pytest.mark.parametrize("kind", ["ObjectModule", "FormModule"])
def test_a_part_of_the_own_object_hides_a_common_module(kind):
    module = {"ObjectModule": "Catalog.Валюты.ObjectModule", "FormModule": "Catalog.Валюты.Form.Ф.Module"}[
        kind
    ]
    assert resolve("Общий", "Курс", kind=kind, module=module) == ("unknown", None)


def test_a_parameter_hides_a_common_module_in_its_method_alone():
    module = facts(
        Call(0, "Глобальный", "Всем", 1),
        Call(1, "Глобальный", "Всем", 2),
        Call(-1, "Глобальный", "Всем", 3),
        methods=[method("А", "глобальный"), method("Б")],
    )
    found = resolve_calls("CommonModule", "CommonModule.Общий", "CommonModule.Общий.Module", module, SYMBOLS)
    assert [resolution for resolution, _ in found] == ["unknown", "common_module", "common_module"]


def test_a_module_variable_hides_a_common_module_everywhere():
    assert resolve("Глобальный", "Всем", variables=[Variable("Глобальный", False, None, 1)])[0] == "unknown"


def test_a_variable_set_to_a_common_module_is_that_module_in_its_method():
    target = ("common_module", "CommonModule.Общий.Module.Курс")
    assert resolve("Модуль", "Курс", assignments=[Assignment(0, "модуль", "Общий")]) == target
    assert resolve("Модуль", "Курс", assignments=[Assignment(1, "Модуль", "Общий")])[0] == "unknown"
    shared = [Variable("Модуль", False, None, 1)]
    assert (
        resolve("Модуль", "Курс", assignments=[Assignment(1, "Модуль", "Общий")], variables=shared) == target
    )


def test_of_several_modules_in_one_variable_the_one_with_the_method_is_meant():
    both = [Assignment(0, "Модуль", "Глобальный"), Assignment(0, "Модуль", "Общий")]
    assert resolve("Модуль", "Курс", assignments=both) == ("common_module", "CommonModule.Общий.Module.Курс")


def test_a_module_got_by_name_is_called_at_once():
    found = resolve('ОбщегоНазначения.ОбщийМодуль("Общий")', "Курс")
    assert found == ("common_module", "CommonModule.Общий.Module.Курс")


def test_items_of_a_form_are_the_platforms():
    assert resolve("Элементы.Список", "Обновить", kind="FormModule")[0] == "platform"
    assert resolve("Элементы.Список", "Обновить", kind="CommonModule")[0] == "unknown"


def test_of_methods_with_one_name_the_first_is_called():
    methods = [method("Дважды"), method("ДВАЖДЫ")]
    assert resolve(None, "дважды", methods=methods) == ("local", "Catalog.Валюты.ObjectModule.Дважды")


def test_results_are_aligned_with_the_calls():
    module = facts(Call(0, None, "СтрДлина", 1), Call(0, None, "Нет", 1), Call(0, None, "СтрДлина", 2))
    found = resolve_calls("CommonModule", "CommonModule.Общий", "CommonModule.Общий.Module", module, SYMBOLS)
    assert [resolution for resolution, _ in found] == ["platform", "unknown", "platform"]


def test_symbols_survive_pickling_and_their_fingerprint_ignores_order():
    again = pickle.loads(pickle.dumps(SYMBOLS))
    backwards = Symbols(OBJECTS[::-1], FIELDS[::-1], MODULES[::-1], METHODS[::-1])
    assert again.fingerprint() == backwards.fingerprint() == SYMBOLS.fingerprint()
    assert resolve(None, "Всем", symbols=again)[0] == "global_module"


def test_any_new_symbol_changes_the_fingerprint():
    more = ("Catalog.Валюты.ObjectModule.Ещё", "Catalog.Валюты.ObjectModule", "Ещё", False)
    prints = {
        Symbols(OBJECTS, FIELDS, MODULES, [*METHODS, more]).fingerprint(),
        Symbols(OBJECTS, FIELDS, MODULES, [*METHODS, (*more[:3], True)]).fingerprint(),
        Symbols(OBJECTS, FIELDS[1:], MODULES, METHODS).fingerprint(),
        SYMBOLS.fingerprint(),
    }
    assert len(prints) == 4
