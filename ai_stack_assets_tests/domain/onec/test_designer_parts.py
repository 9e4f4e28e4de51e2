import json

import pytest

from ai_stack_assets.domain.onec.model import Link
from ai_stack_assets_tests.domain.onec.designer_xml import read

XSI = 'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"'


def test_rights_are_links_granted_or_denied():
    role = read(
        "rights",
        """<Rights><setForNewObjects>false</setForNewObjects><setForAttributesByDefault>true</setForAttributesByDefault>
        <object><name>Catalog.Валюты</name><right><name>Read</name><value>true</value></right>
        <right><name>Delete</name><value>false</value></right></object></Rights>""",
    )
    assert role.links == [
        Link("RoleRight", "Catalog.Валюты", "Read"),
        Link("RoleRightDenied", "Catalog.Валюты", "Delete"),
    ]
    assert role.properties == {"SetForNewObjects": False, "SetForAttributesByDefault": True}


def test_restrictions_by_row_keep_their_condition_and_fields():
    role = read(
        "rights",
        """<Rights><object><name>Catalog.В</name><right><name>Read</name><value>true</value>
        <restrictionByCondition><field>Код</field><condition>ГДЕ Автор = &amp;Я</condition></restrictionByCondition>
        <restrictionByCondition><condition>#ДляОбъекта("")</condition></restrictionByCondition></right></object>
        <restrictionTemplate><name>ДляОбъекта(Поле)</name><condition>ГДЕ ИСТИНА</condition></restrictionTemplate></Rights>""",
    )
    assert json.loads(role.links[0].properties) == {
        "restrictions": [
            {"condition": "ГДЕ Автор = &Я", "fields": ["Код"]},
            {"condition": '#ДляОбъекта("")'},
        ]
    }
    (template,) = role.children
    assert (template.kind, template.name) == ("RestrictionTemplate", "ДляОбъекта")
    assert template.properties == {"Signature": "ДляОбъекта(Поле)", "Condition": "ГДЕ ИСТИНА"}


def test_predefined_items_nest_and_keep_code_and_description():
    node = read(
        "predefined",
        """<PredefinedData><Item id="8CBAA30D-faab-45ad-880e-84f8b421f448"><Name>Папка</Name><Code/>
        <Description>Папка товаров</Description><IsFolder>true</IsFolder><ChildItems>
        <Item id="35dccbf2-dcce-4160-91a0-9697dd21aa79"><Name>Товар</Name><Code>01</Code><IsFolder>false</IsFolder></Item>
        </ChildItems></Item></PredefinedData>""",
    )
    (folder,) = node.children
    assert (folder.kind, folder.name, folder.uuid) == (
        "PredefinedItem",
        "Папка",
        "8cbaa30d-faab-45ad-880e-84f8b421f448",
    )
    assert folder.properties == {"Description": "Папка товаров", "IsFolder": True}
    assert [(item.name, item.properties) for item in folder.children] == [("Товар", {"Code": "01"})]


def test_predefined_accounts_have_flags_and_ext_dimensions():
    node = read(
        "predefined",
        """<PredefinedData><Item id="1"><Name>Касса</Name><Code>50</Code><AccountType>Active</AccountType>
        <OffBalance>true</OffBalance><Order>50</Order>
        <AccountingFlags><Flag ref="ChartOfAccounts.О.AccountingFlag.Валютный">true</Flag>
        <Flag ref="ChartOfAccounts.О.AccountingFlag.Количественный">false</Flag></AccountingFlags>
        <ExtDimensionTypes><ExtDimensionType name="ChartOfCharacteristicTypes.В.Контрагенты"/></ExtDimensionTypes>
        </Item></PredefinedData>""",
    )
    (account,) = node.children
    assert account.properties == {"Code": "50", "AccountType": "Active", "OffBalance": True, "Order": "50"}
    assert account.links == [
        Link("AccountingFlag", "ChartOfAccounts.О.AccountingFlag.Валютный"),
        Link("ExtDimensionTypes", "ChartOfCharacteristicTypes.В.PredefinedItem.Контрагенты"),
    ]


def test_a_schedule_keeps_what_is_set():
    node = read(
        "schedule",
        """<JobSchedule xmlns:ent="http://v8.1c.ru/8.1/data/enterprise"><Schedule BeginDate="0001-01-01"
        EndDate="2030-12-31" BeginTime="04:00:00" EndTime="00:00:00" RepeatPeriodInDay="0" DaysRepeatPeriod="1">
        <ent:WeekDays>1 2 3</ent:WeekDays></Schedule></JobSchedule>""",
    )
    assert node.properties == {
        "Schedule": {
            "EndDate": "2030-12-31",
            "BeginTime": "04:00:00",
            "DaysRepeatPeriod": 1,
            "WeekDays": [1, 2, 3],
        }
    }


def test_exchange_content_tells_automatic_registration():
    node = read(
        "content",
        "<ExchangePlanContent><Item><Metadata>Catalog.В</Metadata><AutoRecord>Deny</AutoRecord></Item></ExchangePlanContent>",
    )
    assert node.links == [Link("ExchangePlanContent", "Catalog.В", "Deny")]


def test_help_lists_its_languages():
    assert read("help", "<Help><Page>ru</Page><Page>en</Page></Help>").properties == {"Help": ["en", "ru"]}


def test_a_command_interface_tells_what_is_hidden_and_shown():
    node = read(
        "command_interface",
        """<CommandInterface><CommandsVisibility>
        <Command name="Catalog.В.StandardCommand.OpenList"><Visibility><Common>false</Common></Visibility></Command>
        <Command name="Report.О.Command.К"><Visibility><Common>true</Common></Visibility></Command>
        </CommandsVisibility></CommandInterface>""",
    )
    assert node.links == [
        Link("CommandVisibility", "Catalog.В.StandardCommand.OpenList", "Hidden"),
        Link("CommandVisibility", "Report.О.Command.К", "Visible"),
    ]


def test_a_data_composition_schema_has_data_sets_fields_parameters_and_queries():
    node = read(
        "template",
        f"""<DataCompositionSchema xmlns="http://v8.1c.ru/8.1/data-composition-system/schema" {XSI}>
        <dataSet xsi:type="DataSetUnion"><name>Всё</name><item xsi:type="DataSetQuery"><name>Остатки</name>
          <field xsi:type="DataSetFieldField"><dataPath>Товар</dataPath><field>Номенклатура</field></field>
          <query>ВЫБРАТЬ 1</query></item></dataSet>
        <parameter><name>Период</name></parameter></DataCompositionSchema>""",
    )
    union, parameter = node.children
    assert (union.kind, union.properties) == ("DataSet", {"DataSetType": "DataSetUnion"})
    (inner,) = union.children
    assert (inner.name, inner.children[0].name, inner.children[0].properties) == (
        "Остатки",
        "Товар",
        {"Field": "Номенклатура"},
    )
    assert node.queries == ["ВЫБРАТЬ 1"]
    assert (parameter.kind, parameter.name) == ("SchemaParameter", "Период")


def test_another_template_is_not_even_parsed():
    node = read("template", "<document>broken <but not looked at")
    assert (node.children, node.queries) == ([], [])


def test_a_flowchart_has_points_and_handlers():
    node = read(
        "flowchart",
        """<GraphicalSchema><Items><Start id="1" uuid="A"><Properties><Name>Старт</Name></Properties>
        <Events><Event name="BeforeStart"/></Events></Start><ConnectionLine id="2"><Properties><Name>Линия</Name></Properties>
        </ConnectionLine><Activity id="3"><Properties><Name>Выполнить</Name></Properties>
        <Events><Event name="OnExecute">ПриВыполнении</Event></Events></Activity></Items></GraphicalSchema>""",
    )
    assert [(point.kind, point.name, point.properties) for point in node.children] == [
        ("RoutePoint", "Старт", {"PointType": "Start"}),
        ("RoutePoint", "Выполнить", {"PointType": "Activity"}),
    ]
    assert node.children[1].links == [Link("RoutePointHandler", "@.ObjectModule.ПриВыполнении", "OnExecute")]


def test_an_xdto_package_names_its_types():
    node = read(
        "package",
        """<package xmlns="http://v8.1c.ru/8.1/xdto"><import namespace="http://other"/><valueType name="Код"/>
        <objectType name="Заказ"><property name="Номер"/></objectType></package>""",
    )
    assert node.properties == {"Imports": ["http://other"], "ValueTypes": ["Код"], "ObjectTypes": ["Заказ"]}


@pytest.mark.parametrize(
    "role", ["predefined", "content", "schedule", "help", "command_interface", "flowchart", "package"]
)
def test_an_unexpected_root_gives_an_empty_part(role):
    node = read(role, "<unexpected><a><b>1</b></a></unexpected>")
    assert (node.children, node.links, node.queries) == ([], [], [])
