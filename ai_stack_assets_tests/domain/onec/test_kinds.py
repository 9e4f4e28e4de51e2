import pytest

from ai_stack_assets.domain.onec.kinds import (
    BY_FOLDER,
    BY_NAME,
    KINDS,
    MANAGERS,
    QUERY_SOURCES,
    module_kind,
)
from ai_stack_assets.domain.onec.types import is_any, type_target


def test_names_of_kinds_are_unique_in_every_language():
    for names in (
        [k.name for k in KINDS],
        [k.folder for k in KINDS],
        [k.ru for k in KINDS],
        [k.ru_plural for k in KINDS],
    ):
        assert len(set(names)) == len(KINDS)


def test_a_kind_is_found_by_folder_manager_and_query_name():
    assert BY_FOLDER["ChartsOfAccounts"] is BY_NAME["ChartOfAccounts"]
    assert MANAGERS["справочники"].name == "Catalog"
    assert MANAGERS["informationregisters"].name == "InformationRegister"
    assert QUERY_SOURCES["регистрсведений"].name == "InformationRegister"
    assert "роли" not in MANAGERS


@pytest.mark.parametrize(
    ("type_name", "target"),
    [
        ("CatalogRef.Валюты", "Catalog.Валюты"),
        ("DocumentObject.Заказ", "Document.Заказ"),
        ("ConstantValueManager.Курс", "Constant.Курс"),
        ("InformationRegisterRecordSet.Курсы", "InformationRegister.Курсы"),
        ("DefinedType.Сумма", "DefinedType.Сумма"),
        ("Characteristic.Виды", "ChartOfCharacteristicTypes.Виды"),
        ("ChartOfCharacteristicTypesRef.Виды", "ChartOfCharacteristicTypes.Виды"),
        ("CatalogTabularSection.Валюты.Курсы", "Catalog.Валюты.TabularSection.Курсы"),
        ("DocumentTabularSectionRow.Заказ.Товары", "Document.Заказ.TabularSection.Товары"),
        ("BusinessProcessRoutePointRef.Задание", "BusinessProcess.Задание"),
        ("ExternalDataSourceTableRef.Склад.Товары", "ExternalDataSource.Склад.Table.Товары"),
        ("ExternalDataSourceCubeDimensionTableRef.И.К.Т", "ExternalDataSource.И.Cube.К.DimensionTable.Т"),
        ("ExternalReportObject.Отчет", "ExternalReport.Отчет"),
        ("CatalogRef", None),
        ("String", None),
        ("НеТип.Имя", None),
    ],
)
def test_a_type_leads_to_its_object(type_name, target):
    assert type_target(type_name) == target


def test_a_type_without_a_name_means_any():
    assert is_any("CatalogRef") and is_any("AnyRef")
    assert not is_any("CatalogRef.Валюты") and not is_any("String")


def test_the_kind_of_a_module_depends_on_its_owner():
    assert module_kind("CommonModule", "Module") == "CommonModule"
    assert module_kind("CommonForm", "Module") == "FormModule"
    assert module_kind("HTTPService", "Module") == "HTTPServiceModule"
    assert module_kind("Catalog", "ManagerModule") == "ManagerModule"
    assert module_kind("Recalculation", "RecordSetModule") == "RecalculationModule"
