"""A configuration extension: what it adopts, what is its own, how its code hooks into the configuration's."""

import json
from pathlib import Path

import pytest

from ai_stack_assets.domain.common.lake import Lake
from ai_stack_assets.domain.onec.extraction import extract

SAMPLE = Path(__file__).parents[3] / "samples" / "extension"


@pytest.fixture(scope="module", params=["designer", "edt"])
def rows(request, tmp_path_factory):
    """A function: table name → rows by id."""
    work = tmp_path_factory.mktemp("extension")
    version = extract(
        "e", str(SAMPLE / request.param), Lake(work / "lake"), work / "cache", workers=1
    ).version
    return lambda table: {row["id"]: row for row in version.table(table).to_pylist()}


def test_adopted_objects_are_told_from_own_ones(rows):
    belonging = {
        row_id: row["belonging"] for table in ("objects", "fields") for row_id, row in rows(table).items()
    }
    assert belonging["Catalog.Номенклатура"] == "adopted"
    assert belonging["Catalog.Номенклатура.Attribute.Артикул"] == "adopted"
    assert belonging["Catalog.Номенклатура.Attribute.Эко_Класс"] == "own"
    assert belonging["CommonModule.Эко_Сервер"] == "own"
    assert belonging["Enum.ВидыНоменклатуры.EnumValue.Услуга"] == "adopted"


def test_an_adopted_object_has_only_what_the_extension_controls(rows):
    objects = rows("objects")
    assert json.loads(objects["Catalog.Номенклатура"]["properties"]) == {}
    assert json.loads(objects["CommonModule.ПродажиСервер"]["properties"]) == {"Server": True}


def test_the_extension_says_what_it_is(rows):
    properties = json.loads(rows("objects")["Configuration.ДемоРасширение"]["properties"])
    assert properties["NamePrefix"] == "Эко_"
    assert properties["ConfigurationExtensionPurpose"] == "AddOn"
    assert properties["ConfigurationExtensionCompatibilityMode"] == "Version8_3_24"


@pytest.mark.parametrize(
    ("method", "kind", "target"),
    [
        ("Catalog.Номенклатура.ObjectModule.Эко_ПередЗаписьюПеред", "Before", "ПередЗаписью"),
        (
            "Catalog.Номенклатура.ObjectModule.Эко_ОбработкаПроверкиЗаполненияПосле",
            "After",
            "ОбработкаПроверкиЗаполнения",
        ),
        ("Catalog.Номенклатура.ManagerModule.Эко_АртикулСвободен", "Around", "АртикулСвободен"),
        (
            "Document.ЗаказПокупателя.ObjectModule.Эко_ДобавитьДвижениеРезерва",
            "ChangeAndValidate",
            "ДобавитьДвижениеРезерва",
        ),
    ],
)
def test_annotations_name_the_method_that_they_change(rows, method, kind, target):
    assert json.loads(rows("methods")[method]["annotations"]) == [{"kind": kind, "target": target}]


def test_inserted_and_removed_code_is_part_of_the_body(rows):
    body = rows("methods")["Document.ЗаказПокупателя.ObjectModule.Эко_ДобавитьДвижениеРезерва"]["body"]
    assert body.count("#Вставка") == 2
    assert "#Удаление\n\tДвижение.Период = Дата;\n#КонецУдаления" in body


def test_calls_to_modules_that_are_not_in_the_extension_stay_unknown(rows):
    resolutions = {(row["receiver"], row["name"]): row["resolution"] for row in rows("calls").values()}
    assert resolutions["Эко_Сервер", "ЭтоЭкоТовар"] == "common_module"
    assert resolutions["ОбщегоНазначенияКлиентСервер", "СообщитьПользователю"] == "unknown"


def test_a_form_handler_says_when_it_is_called(rows):
    form = "Catalog.Номенклатура.Form.ФормаЭлемента"
    handler = rows("references")[f"{form}>FormHandler>{form}.Module.Эко_ПриОткрытииПосле>OnOpen"]
    assert json.loads(handler["properties"]) == {"CallType": "After"}
