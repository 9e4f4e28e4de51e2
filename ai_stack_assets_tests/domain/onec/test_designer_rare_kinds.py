"""Kinds that few configurations have: accounting and calculation, external data sources, integration, bots, route maps."""

import pytest

from ai_stack_assets_tests.domain.onec.designer_xml import (
    configuration,
    form,
    metadata,
    part,
    rows_of,
    typed,
    write,
)


def of(tmp_path, child, files):
    """Rows of the only group of a configuration with one object."""
    rows = rows_of(write(tmp_path, {"Configuration.xml": configuration(child), **files}))[1]
    (group,) = (found for name, found in rows.items() if name != "Configuration")
    assert group.rejected == []
    return group


def ids(rows):
    return [row.id for row in rows]


def links(group):
    return {(row.kind, row.source_id, row.target_id) for row in group.references}


def test_a_chart_of_accounts_has_flags_and_predefined_accounts(tmp_path):
    files = {
        "ChartsOfAccounts/О.xml": metadata(
            "ChartOfAccounts",
            "О",
            "<ExtDimensionTypes>ChartOfCharacteristicTypes.Виды</ExtDimensionTypes><MaxExtDimensionCount>3</MaxExtDimensionCount>",
            part("AccountingFlag", "Валютный") + part("ExtDimensionAccountingFlag", "Суммовой"),
        ),
        "ChartsOfAccounts/О/Ext/Predefined.xml": '<P><Item id="1"><Name>Касса</Name><Code>50</Code></Item></P>',
    }
    group = of(tmp_path, "ChartOfAccounts.О", files)
    assert ids(group.fields) == [
        "ChartOfAccounts.О.AccountingFlag.Валютный",
        "ChartOfAccounts.О.ExtDimensionAccountingFlag.Суммовой",
        "ChartOfAccounts.О.PredefinedItem.Касса",
    ]
    assert group.objects[0].properties == '{"MaxExtDimensionCount":3}'
    assert links(group) == {("ExtDimensionTypes", "ChartOfAccounts.О", "ChartOfCharacteristicTypes.Виды")}


def test_an_accounting_register_refers_to_its_chart_and_flags(tmp_path):
    dimension = part(
        "Dimension", "Валюта", "<AccountingFlag>ChartOfAccounts.О.AccountingFlag.Валютный</AccountingFlag>"
    )
    source = metadata(
        "AccountingRegister",
        "Х",
        "<ChartOfAccounts>ChartOfAccounts.О</ChartOfAccounts><Correspondence>true</Correspondence>",
        dimension + part("Resource", "Сумма", "<Balance>true</Balance>"),
    )
    group = of(tmp_path, "AccountingRegister.Х", {"AccountingRegisters/Х.xml": source})
    assert ids(group.fields) == [
        "AccountingRegister.Х.Dimension.Валюта",
        "AccountingRegister.Х.Resource.Сумма",
    ]
    assert group.fields[1].properties == '{"Balance":true}'
    assert links(group) == {
        ("ChartOfAccounts", "AccountingRegister.Х", "ChartOfAccounts.О"),
        (
            "AccountingFlag",
            "AccountingRegister.Х.Dimension.Валюта",
            "ChartOfAccounts.О.AccountingFlag.Валютный",
        ),
    }


def test_a_calculation_register_has_recalculations_of_its_own(tmp_path):
    dimension = "CalculationRegister.Н.Dimension.Сотрудник"
    files = {
        "CalculationRegisters/Н.xml": metadata(
            "CalculationRegister",
            "Н",
            "<ChartOfCalculationTypes>ChartOfCalculationTypes.В</ChartOfCalculationTypes><ActionPeriod>true</ActionPeriod>",
            part("Dimension", "Сотрудник", "<BaseDimension>true</BaseDimension>")
            + "<Recalculation>П</Recalculation>",
        ),
        "CalculationRegisters/Н/Recalculations/П.xml": metadata(
            "Recalculation",
            "П",
            children=part("Dimension", "Сотрудник", f"<RegisterDimension>{dimension}</RegisterDimension>"),
        ),
        "CalculationRegisters/Н/Recalculations/П/Ext/RecordSetModule.bsl": "",
    }
    group = of(tmp_path, "CalculationRegister.Н", files)
    recalculation = "CalculationRegister.Н.Recalculation.П"
    assert ids(group.objects) == ["CalculationRegister.Н", recalculation]
    assert ids(group.fields) == [dimension, f"{recalculation}.Dimension.Сотрудник"]
    assert [(row.id, row.kind) for row in group.modules] == [
        (f"{recalculation}.RecordSetModule", "RecalculationModule")
    ]
    assert ("RecalculationData", f"{recalculation}.Dimension.Сотрудник", dimension) in links(group)
    assert ("ChartOfCalculationTypes", "CalculationRegister.Н", "ChartOfCalculationTypes.В") in links(group)


def test_an_external_data_source_has_tables_cubes_and_functions(tmp_path):
    base = "ExternalDataSources/И"
    files = {
        f"{base}.xml": metadata(
            "ExternalDataSource",
            "И",
            children="<Table>Т</Table><Cube>К</Cube>"
            + part("Function", "Ф", "<ExpressionInDataSource>f()</ExpressionInDataSource>"),
        ),
        f"{base}/Tables/Т.xml": metadata(
            "Table",
            "Т",
            "<NameInDataSource>t</NameInDataSource>",
            part("Field", "П", typed("xs:string")) + "<Form>С</Form>",
        ),
        f"{base}/Tables/Т/Ext/ObjectModule.bsl": "",
        f"{base}/Tables/Т/Forms/С.xml": metadata("Form", "С"),
        f"{base}/Tables/Т/Forms/С/Ext/Form.xml": form(
            f'<Attributes><Attribute name="О">{typed("cfg:ExternalDataSourceTableObject.И.Т")}</Attribute></Attributes>'
        ),
        f"{base}/Cubes/К.xml": metadata(
            "Cube",
            "К",
            children=part("Dimension", "И") + part("Resource", "Р") + "<DimensionTable>Д</DimensionTable>",
        ),
        f"{base}/Cubes/К/DimensionTables/Д.xml": metadata("DimensionTable", "Д", children=part("Field", "П")),
    }
    group = of(tmp_path, "ExternalDataSource.И", files)
    source = "ExternalDataSource.И"
    assert ids(group.objects) == [
        source,
        f"{source}.Cube.К",
        f"{source}.Cube.К.DimensionTable.Д",
        f"{source}.Table.Т",
        f"{source}.Table.Т.Form.С",
    ]
    assert ids(group.fields) == [
        f"{source}.Cube.К.Dimension.И",
        f"{source}.Cube.К.DimensionTable.Д.Field.П",
        f"{source}.Cube.К.Resource.Р",
        f"{source}.Function.Ф",
        f"{source}.Table.Т.Field.П",
        f"{source}.Table.Т.Form.С.Attribute.О",
    ]
    assert ids(group.modules) == [f"{source}.Table.Т.ObjectModule"]
    assert ("FieldType", f"{source}.Table.Т.Form.С.Attribute.О", f"{source}.Table.Т") in links(group)


def test_a_sequence_knows_documents_registers_and_dimensions(tmp_path):
    item = '<xr:Item xsi:type="xr:MDObjectRef">{}</xr:Item>'.format
    source = metadata(
        "Sequence",
        "С",
        f"<Documents>{item('Document.З')}</Documents><RegisterRecords>{item('AccumulationRegister.О')}</RegisterRecords>",
        part(
            "Dimension",
            "Организация",
            f"<DocumentMap>{item('Document.З.Attribute.Организация')}</DocumentMap>",
        ),
    )
    group = of(tmp_path, "Sequence.С", {"Sequences/С.xml": source, "Sequences/С/Ext/RecordSetModule.bsl": ""})
    assert links(group) == {
        ("SequenceDocument", "Sequence.С", "Document.З"),
        ("SequenceRegister", "Sequence.С", "AccumulationRegister.О"),
        ("DimensionMap", "Sequence.С.Dimension.Организация", "Document.З.Attribute.Организация"),
    }
    assert [(row.id, row.kind) for row in group.modules] == [
        ("Sequence.С.RecordSetModule", "RecordSetModule")
    ]


@pytest.mark.parametrize(
    ("kind", "folder", "module_kind"),
    [
        ("Bot", "Bots", "BotModule"),
        ("WebSocketClient", "WebSocketClients", "WEBSocketClientModule"),
        ("IntegrationService", "IntegrationServices", "IntegrationServiceModule"),
        ("HTTPService", "HTTPServices", "HTTPServiceModule"),
        ("WebService", "WebServices", "WEBServiceModule"),
    ],
)
def test_services_have_one_module_of_their_own_kind(tmp_path, kind, folder, module_kind):
    files = {f"{folder}/С.xml": metadata(kind, "С"), f"{folder}/С/Ext/Module.bsl": ""}
    (module,) = of(tmp_path, f"{kind}.С", files).modules
    assert (module.id, module.kind) == (f"{kind}.С.Module", module_kind)


def test_a_task_is_addressed_by_a_register(tmp_path):
    attribute = part(
        "AddressingAttribute",
        "Исполнитель",
        typed("cfg:CatalogRef.Сотрудники")
        + "<AddressingDimension>InformationRegister.И.Dimension.Кто</AddressingDimension>",
    )
    source = metadata("Task", "З", "<Addressing>InformationRegister.И</Addressing>", attribute)
    group = of(tmp_path, "Task.З", {"Tasks/З.xml": source})
    assert links(group) == {
        ("Addressing", "Task.З", "InformationRegister.И"),
        ("Addressing", "Task.З.AddressingAttribute.Исполнитель", "InformationRegister.И.Dimension.Кто"),
        ("FieldType", "Task.З.AddressingAttribute.Исполнитель", "Catalog.Сотрудники"),
    }


def test_a_route_of_a_business_process_has_points_with_handlers(tmp_path):
    files = {
        "BusinessProcesses/П.xml": metadata("BusinessProcess", "П", "<Task>Task.З</Task>"),
        "BusinessProcesses/П/Ext/Flowchart.xml": (
            '<S><Items><Activity uuid="1"><Properties><Name>Согласовать</Name></Properties>'
            '<Events><Event name="OnExecute">ПриВыполнении</Event></Events></Activity></Items></S>'
        ),
        "BusinessProcesses/П/Ext/ObjectModule.bsl": "",
    }
    group = of(tmp_path, "BusinessProcess.П", files)
    point = "BusinessProcess.П.RoutePoint.Согласовать"
    assert ids(group.fields) == [point]
    assert ("RoutePointHandler", point, "BusinessProcess.П.ObjectModule.ПриВыполнении") in links(group)


def test_a_document_journal_has_columns_that_refer_to_fields(tmp_path):
    item = '<xr:Item xsi:type="xr:MDObjectRef">{}</xr:Item>'.format
    source = metadata(
        "DocumentJournal",
        "Ж",
        f"<RegisteredDocuments>{item('Document.З')}</RegisteredDocuments>",
        part("Column", "Автор", f"<References>{item('Document.З.Attribute.Автор')}</References>"),
    )
    group = of(tmp_path, "DocumentJournal.Ж", {"DocumentJournals/Ж.xml": source})
    assert links(group) == {
        ("RegisteredDocument", "DocumentJournal.Ж", "Document.З"),
        ("JournalColumn", "DocumentJournal.Ж.Column.Автор", "Document.З.Attribute.Автор"),
    }
