import json

import pytest

from ai_stack_assets.domain.onec.model import Link, Rejection
from ai_stack_assets_tests.domain.onec.designer_xml import (
    UUID,
    configuration,
    metadata,
    part,
    read,
    text,
    typed,
)


def child(node, name):
    return next(found for found in node.children if found.name == name)


def targets(node, kind):
    return [link.target for link in node.links if link.kind == kind]


def test_an_object_has_its_names_uuid_and_presentations():
    properties = (
        text("Synonym", ru="Валюты", en="Currencies")
        + "<Comment>Общероссийский классификатор</Comment>"
        + text("ObjectPresentation", ru="Валюта")
        + text("ListPresentation")
    )
    node = read("object", metadata("Catalog", "Валюты", properties))
    assert (node.kind, node.name, node.uuid) == ("Catalog", "Валюты", UUID.lower())
    assert node.synonym == '{"en":"Currencies","ru":"Валюты"}'
    assert node.comment == "Общероссийский классификатор"
    assert node.properties == {"ObjectPresentation": {"ru": "Валюта"}}


def test_properties_keep_their_types_and_lose_their_defaults():
    properties = (
        "<Hierarchical>true</Hierarchical><LimitLevelCount>false</LimitLevelCount><CodeLength>9</CodeLength>"
        "<CodeType>String</CodeType><CodeAllowedLength>Fixed</CodeAllowedLength><НовоеСвойство>1</НовоеСвойство>"
        "<SubordinationUse>СловоБудущейПлатформы</SubordinationUse><DescriptionLength>много</DescriptionLength>"
    )
    assert read("object", metadata("Catalog", "В", properties)).properties == {
        "Hierarchical": True,
        "CodeLength": 9,
        "CodeType": "String",
        "SubordinationUse": "СловоБудущейПлатформы",
        "DescriptionLength": "много",
    }


def test_children_are_read_inline_or_named():
    section = part("TabularSection", "Курсы", children=part("Attribute", "Курс", typed("xs:decimal")))
    children = (
        part("Attribute", "Код")
        + section
        + part("Command", "Печать")
        + "<Form>Список</Form><Template>М</Template>"
    )
    node = read("object", metadata("Catalog", "Валюты", children=children))
    assert [(c.kind, c.name) for c in node.children] == [
        ("Attribute", "Код"),
        ("TabularSection", "Курсы"),
        ("Command", "Печать"),
        ("Form", "Список"),
        ("Template", "М"),
    ]
    assert [(c.kind, c.name) for c in child(node, "Курсы").children] == [("Attribute", "Курс")]


@pytest.mark.parametrize(
    ("source", "types"),
    [
        (typed("cfg:CatalogRef.Валюты"), [{"type": "CatalogRef.Валюты"}]),
        (
            typed("xs:string", qualifiers="<v8:StringQualifiers><v8:Length>10</v8:Length>"
                  "<v8:AllowedLength>Fixed</v8:AllowedLength></v8:StringQualifiers>"),
            [{"type": "String", "length": 10, "allowed_length": "Fixed"}],
        ),
        (
            typed("xs:decimal", qualifiers="<v8:NumberQualifiers><v8:Digits>15</v8:Digits><v8:FractionDigits>2"
                  "</v8:FractionDigits><v8:AllowedSign>Nonnegative</v8:AllowedSign></v8:NumberQualifiers>"),
            [{"type": "Number", "digits": 15, "fraction_digits": 2, "allowed_sign": "Nonnegative"}],
        ),
        (
            typed("xs:dateTime", qualifiers="<v8:DateQualifiers><v8:DateFractions>Date</v8:DateFractions>"
                  "</v8:DateQualifiers>"),
            [{"type": "Date", "date_fractions": "Date"}],
        ),
        (typed("xs:boolean", "cfg:EnumRef.Виды"), [{"type": "Boolean"}, {"type": "EnumRef.Виды"}]),
        (typed("cfg:EnumRef.Виды", "cfg:CatalogRef.А"), [{"type": "CatalogRef.А"}, {"type": "EnumRef.Виды"}]),
        ("<Type><v8:TypeSet>cfg:DefinedType.Сумма</v8:TypeSet></Type>", [{"type": "DefinedType.Сумма"}]),
        ("<Type><v8:TypeSet>cfg:AnyIBRef</v8:TypeSet></Type>", [{"type": "AnyRef"}]),
        (
            '<Type><v8:Type xmlns:d5p1="http://v8.1c.ru/8.1/data/enterprise/current-config">d5p1:DocumentRef.Заказ'
            "</v8:Type></Type>",
            [{"type": "DocumentRef.Заказ"}],
        ),
        (typed("v8:ValueListType"), [{"type": "ValueList"}]),
        ("<Type/>", []),
    ],
)  # fmt: skip
def test_value_types_have_platform_names_and_qualifiers(source, types):
    node = read("object", metadata("Constant", "К", source))
    assert json.loads(node.types) == types


def test_the_configuration_lists_its_children():
    node = read("object", configuration("Catalog.Валюты", "CommonModule.Общий"))
    assert node.links == [Link("ChildObject", "Catalog.Валюты"), Link("ChildObject", "CommonModule.Общий")]
    assert node.children == []


@pytest.mark.parametrize(
    ("kind", "properties", "link"),
    [
        ("EventSubscription", "<Event>BeforeWrite</Event><Handler>CommonModule.Общий.ПередЗаписью</Handler>",
         Link("SubscriptionHandler", "CommonModule.Общий.Module.ПередЗаписью", "BeforeWrite")),
        ("ScheduledJob", "<MethodName>CommonModule.Общий.Выполнить</MethodName>",
         Link("ScheduledJobMethod", "CommonModule.Общий.Module.Выполнить")),
        ("Subsystem", '<Content><xr:Item xsi:type="xr:MDObjectRef">Catalog.В</xr:Item></Content>',
         Link("SubsystemContent", "Catalog.В")),
        ("FunctionalOption", "<Location>Constant.К</Location>", Link("FunctionalOptionLocation", "Constant.К")),
        ("FunctionalOption", "<Content><xr:Object>Catalog.В.Attribute.А</xr:Object></Content>",
         Link("FunctionalOptionContent", "Catalog.В.Attribute.А")),
        ("FunctionalOptionsParameter", '<Use><xr:Item xsi:type="xr:MDObjectRef">Catalog.О</xr:Item></Use>',
         Link("FunctionalOptionsParameterUse", "Catalog.О")),
        ("Document", '<RegisterRecords><xr:Item xsi:type="xr:MDObjectRef">AccumulationRegister.О</xr:Item></RegisterRecords>',
         Link("RegisterRecord", "AccumulationRegister.О")),
        ("Sequence", '<RegisterRecords><xr:Item xsi:type="xr:MDObjectRef">AccumulationRegister.О</xr:Item></RegisterRecords>',
         Link("SequenceRegister", "AccumulationRegister.О")),
        ("Catalog", '<Owners><xr:Item xsi:type="xr:MDObjectRef">Catalog.Х</xr:Item></Owners>', Link("Owner", "Catalog.Х")),
        ("Catalog", "<DefaultListForm>Catalog.В.Form.С</DefaultListForm>",
         Link("DefaultForm", "Catalog.В.Form.С", "DefaultListForm")),
        ("CommonAttribute", "<Content><xr:Item><xr:Metadata>Catalog.В</xr:Metadata><xr:Use>Use</xr:Use>"
         "<xr:ConditionalSeparation/></xr:Item></Content>", Link("CommonAttributeContent", "Catalog.В", "Use")),
        ("AccountingRegister", "<ChartOfAccounts>ChartOfAccounts.О</ChartOfAccounts>",
         Link("ChartOfAccounts", "ChartOfAccounts.О")),
        ("Report", "<MainDataCompositionSchema>Report.О.Template.С</MainDataCompositionSchema>",
         Link("MainDataCompositionSchema", "Report.О.Template.С")),
        ("CommonCommand", "<Group>CommandGroup.Печать</Group>", Link("CommandGroup", "CommandGroup.Печать")),
        ("WebService", "<XDTOPackages><xr:Item><xr:Presentation/><xr:CheckState>0</xr:CheckState>"
         '<xr:Value xsi:type="xr:MDObjectRef">XDTOPackage.П</xr:Value></xr:Item></XDTOPackages>',
         Link("XDTOPackage", "XDTOPackage.П")),
        ("BusinessProcess", "<Task>Task.З</Task>", Link("Task", "Task.З")),
        ("CalculationRegister", "<ScheduleValue>InformationRegister.Г.Resource.Ч</ScheduleValue>",
         Link("CalculationSchedule", "InformationRegister.Г.Resource.Ч", "ScheduleValue")),
    ],
)  # fmt: skip
def test_properties_that_name_other_things_are_links(kind, properties, link):
    assert link in read("object", metadata(kind, "Имя", properties)).links


def test_a_web_service_has_operations_parameters_and_handlers():
    parameter = part(
        "Parameter",
        "Сообщение",
        '<XDTOValueType xmlns:d6p1="http://обмен">d6p1:Message</XDTOValueType>'
        "<TransferDirection>Out</TransferDirection><Nillable>true</Nillable>",
    )
    operation = part(
        "Operation",
        "Ping",
        "<XDTOReturningValueType>xs:string</XDTOReturningValueType><ProcedureName>Пинг</ProcedureName>",
        parameter,
    )
    (found,) = read("object", metadata("WebService", "Обмен", children=operation)).children
    assert found.properties == {"XDTOReturningValueType": "{http://www.w3.org/2001/XMLSchema}string"}
    assert found.links == [Link("WebServiceHandler", "@.Module.Пинг")]
    assert found.children[0].properties == {
        "XDTOValueType": "{http://обмен}Message",
        "TransferDirection": "Out",
        "Nillable": True,
    }


def test_an_http_service_has_templates_methods_and_handlers():
    method = part("Method", "Получить", "<HTTPMethod>GET</HTTPMethod><Handler>ПолучитьGET</Handler>")
    template = part("URLTemplate", "Курсы", "<Template>/rates/{code}</Template>", method)
    (found,) = read("object", metadata("HTTPService", "Курсы", "<RootURL>rates</RootURL>", template)).children
    assert found.properties == {"Template": "/rates/{code}"}
    assert found.children[0].links == [Link("HTTPHandler", "@.Module.ПолучитьGET")]


def test_a_channel_of_an_integration_service_has_its_handler():
    channel = part(
        "IntegrationServiceChannel",
        "Входящие",
        "<MessageDirection>Receive</MessageDirection><ReceiveMessageProcessing>Принять</ReceiveMessageProcessing>",
    )
    (found,) = read("object", metadata("IntegrationService", "Шина", children=channel)).children
    assert found.properties == {"MessageDirection": "Receive"}
    assert found.links == [Link("ChannelHandler", "@.Module.Принять")]


def test_an_adopted_object_says_so():
    node = read("object", metadata("Catalog", "В", "<ObjectBelonging>Adopted</ObjectBelonging>"))
    assert node.is_adopted


def test_a_subscription_watches_the_types_of_its_source():
    source = (
        "<Source><v8:Type>cfg:CatalogObject.В</v8:Type><v8:TypeSet>cfg:DocumentObject</v8:TypeSet></Source>"
    )
    node = read("object", metadata("EventSubscription", "П", source))
    assert json.loads(node.types) == [{"type": "CatalogObject.В"}, {"type": "DocumentObject"}]


def test_unknown_kinds_elements_and_values_never_raise():
    unknown = part("ЧтоТоНовое", "Х", "<Indexing>ПоНовому</Indexing><Type><v8:Kind>7</v8:Kind></Type>")
    node = read("object", metadata("НовыйВид", "Имя", "<Внутри><Глубже>1</Глубже></Внутри>", unknown))
    assert (node.kind, node.children[0].kind, node.children[0].properties) == (
        "НовыйВид",
        "ЧтоТоНовое",
        {"Indexing": "ПоНовому"},
    )


def test_another_xml_is_rejected_with_its_root():
    with pytest.raises(Rejection, match="<settings> is no metadata object") as rejection:
        read("object", "<settings/>")
    assert rejection.value.reason == "unexpected_xml"
