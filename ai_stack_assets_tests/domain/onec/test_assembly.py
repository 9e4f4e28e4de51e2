import json

from ai_stack_assets.domain.onec.assembly import assemble
from ai_stack_assets.domain.onec.layout import Root
from ai_stack_assets.domain.onec.model import REFERENCE_KINDS, Link, Node
from ai_stack_assets_tests.domain.onec.designer_xml import (
    UUID,
    configuration,
    form,
    metadata,
    part,
    rows_of,
    text,
    typed,
    write,
)

ORDERS = {
    "Configuration.xml": configuration("Document.Заказ", "CommonModule.Общий", "Subsystem.Продажи"),
    "Documents/Заказ.xml": metadata(
        "Document",
        "Заказ",
        text("Synonym", ru="Заказ покупателя") + "<NumberLength>9</NumberLength>",
        part("Attribute", "Контрагент", typed("cfg:CatalogRef.Контрагенты"))
        + part(
            "TabularSection",
            "Товары",
            children=part("Attribute", "Товар", typed("cfg:CatalogRef.Товары", "xs:string")),
        )
        + part(
            "Command",
            "Печать",
            "<CommandParameterType><v8:Type>cfg:DocumentRef.Заказ</v8:Type></CommandParameterType>",
        )
        + "<Form>Форма</Form><Template>Схема</Template>",
    ),
    "Documents/Заказ/Ext/ObjectModule.bsl": "",
    "Documents/Заказ/Ext/Help.xml": "<Help><Page>ru</Page></Help>",
    "Documents/Заказ/Commands/Печать/Ext/CommandModule.bsl": "",
    "Documents/Заказ/Forms/Форма.xml": metadata("Form", "Форма", text("Synonym", ru="Форма заказа")),
    "Documents/Заказ/Forms/Форма/Ext/Form/Module.bsl": "",
    "Documents/Заказ/Forms/Форма/Ext/Form.xml": form(
        '<Events><Event name="OnOpen">ПриОткрытии</Event></Events>'
        '<ChildItems><UsualGroup name="Шапка"><ChildItems><InputField name="Контрагент"><DataPath>Объект.Контрагент</DataPath>'
        "</InputField></ChildItems></UsualGroup></ChildItems>"
        f'<Attributes><Attribute name="Объект">{typed("cfg:DocumentObject.Заказ")}</Attribute>'
        f'<Attribute name="Список">{typed("cfg:DynamicList")}<Settings xsi:type="DynamicList"><QueryText>ВЫБРАТЬ 1</QueryText>'
        "</Settings></Attribute></Attributes>"
        '<Commands><Command name="Заполнить"><Action>Заполнить</Action></Command></Commands>'
    ),
    "Documents/Заказ/Templates/Схема.xml": metadata(
        "Template", "Схема", "<TemplateType>DataCompositionSchema</TemplateType>"
    ),
    "Documents/Заказ/Templates/Схема/Ext/Template.xml": (
        "<DataCompositionSchema><dataSet><name>Н</name><query>ВЫБРАТЬ 2</query></dataSet></DataCompositionSchema>"
    ),
    "CommonModules/Общий.xml": metadata(
        "CommonModule", "Общий", "<Server>true</Server><ServerCall>true</ServerCall>"
    ),
    "Subsystems/Продажи.xml": metadata("Subsystem", "Продажи", children="<Subsystem>Опт</Subsystem>"),
    "Subsystems/Продажи/Subsystems/Опт.xml": metadata("Subsystem", "Опт"),
}


def orders(tmp_path):
    return rows_of(write(tmp_path, ORDERS))[1]["Documents/Заказ"]


def ids(rows):
    return [row.id for row in rows]


def by_id(rows, row_id):
    return next(row for row in rows if row.id == row_id)


def test_objects_of_every_level_get_full_names_owners_and_paths(tmp_path):
    rows = orders(tmp_path)
    assert [(row.id, row.owner_id, row.path) for row in rows.objects] == [
        ("Document.Заказ", "Configuration.Проба", "Documents/Заказ.xml"),
        ("Document.Заказ.Command.Печать", "Document.Заказ", "Documents/Заказ.xml"),
        ("Document.Заказ.Form.Форма", "Document.Заказ", "Documents/Заказ/Forms/Форма.xml"),
        ("Document.Заказ.Template.Схема", "Document.Заказ", "Documents/Заказ/Templates/Схема.xml"),
    ]
    document = rows.objects[0]
    assert (document.kind, document.name, document.uuid, document.belonging) == (
        "Document",
        "Заказ",
        UUID.lower(),
        "own",
    )
    assert document.synonym == '{"ru":"Заказ покупателя"}'
    assert document.properties == '{"Help":["ru"],"NumberLength":9,"Posting":"Allow"}'
    assert rows.rejected == []


def test_types_of_an_object_are_among_its_properties(tmp_path):
    command = by_id(orders(tmp_path).objects, "Document.Заказ.Command.Печать")
    assert json.loads(command.properties)["Types"] == [{"type": "DocumentRef.Заказ"}]


def test_nested_subsystems_have_nested_names(tmp_path):
    rows = rows_of(write(tmp_path, ORDERS))[1]["Subsystems/Продажи"]
    assert [(row.id, row.owner_id) for row in rows.objects] == [
        ("Subsystem.Продажи", "Configuration.Проба"),
        ("Subsystem.Продажи.Subsystem.Опт", "Subsystem.Продажи"),
    ]


def test_fields_get_ids_parents_and_positions(tmp_path):
    rows = orders(tmp_path)
    form_id = "Document.Заказ.Form.Форма"
    assert [(row.id, row.kind, row.object_id, row.parent_id, row.position) for row in rows.fields] == [
        ("Document.Заказ.Attribute.Контрагент", "Attribute", "Document.Заказ", None, 0),
        (f"{form_id}.Attribute.Объект", "FormAttribute", form_id, None, 0),
        (f"{form_id}.Attribute.Список", "FormAttribute", form_id, None, 1),
        (f"{form_id}.Command.Заполнить", "FormCommand", form_id, None, 0),
        (f"{form_id}.Item.Контрагент", "FormItem", form_id, f"{form_id}.Item.Шапка", 0),
        (f"{form_id}.Item.Шапка", "FormItem", form_id, None, 0),
        ("Document.Заказ.TabularSection.Товары", "TabularSection", "Document.Заказ", None, 0),
        (
            "Document.Заказ.TabularSection.Товары.Attribute.Товар",
            "Attribute",
            "Document.Заказ",
            "Document.Заказ.TabularSection.Товары",
            0,
        ),
        ("Document.Заказ.Template.Схема.DataSet.Н", "DataSet", "Document.Заказ.Template.Схема", None, 0),
    ]
    assert by_id(rows.fields, f"{form_id}.Item.Контрагент").data_path == "Объект.Контрагент"


def test_references_have_ids_of_source_kind_target_and_detail(tmp_path):
    rows = orders(tmp_path)
    found = {row.id: (row.source_object_id, row.target_kind) for row in rows.references}
    form_id = "Document.Заказ.Form.Форма"
    assert found == {
        "Document.Заказ.Attribute.Контрагент>FieldType>Catalog.Контрагенты": ("Document.Заказ", "object"),
        "Document.Заказ.Command.Печать>CommandParameter>Document.Заказ": (
            "Document.Заказ.Command.Печать",
            "object",
        ),
        f"{form_id}.Attribute.Объект>FieldType>Document.Заказ": (form_id, "object"),
        f"{form_id}.Command.Заполнить>CommandHandler>{form_id}.Module.Заполнить": (form_id, "method"),
        f"{form_id}.Item.Контрагент>DataPath>Document.Заказ.*.Контрагент>Объект.Контрагент": (
            form_id,
            "field",
        ),
        f"{form_id}>FormHandler>{form_id}.Module.ПриОткрытии>OnOpen": (form_id, "method"),
        "Document.Заказ.TabularSection.Товары.Attribute.Товар>FieldType>Catalog.Товары": (
            "Document.Заказ",
            "object",
        ),
    }
    assert ids(rows.references) == sorted(found)


def test_modules_belong_to_objects_forms_and_commands(tmp_path):
    assert [(row.id, row.kind, row.object_id) for row in orders(tmp_path).modules] == [
        ("Document.Заказ.Command.Печать.CommandModule", "CommandModule", "Document.Заказ.Command.Печать"),
        ("Document.Заказ.Form.Форма.Module", "FormModule", "Document.Заказ.Form.Форма"),
        ("Document.Заказ.ObjectModule", "ObjectModule", "Document.Заказ"),
    ]


def test_a_common_module_without_a_file_is_a_module_with_its_flags(tmp_path):
    (stub,) = rows_of(write(tmp_path, ORDERS))[1]["CommonModules/Общий"].modules
    assert (stub.id, stub.kind, stub.path) == ("CommonModule.Общий.Module", "CommonModule", "")
    assert (stub.is_server, stub.is_server_call, stub.is_global, stub.return_values_reuse) == (
        True,
        True,
        False,
        "DontUse",
    )


def test_queries_of_lists_and_schemas_know_their_place(tmp_path):
    assert [tuple(query) for query in orders(tmp_path).queries] == [
        (
            "Document.Заказ.Form.Форма.Attribute.Список",
            "Document.Заказ.Form.Форма",
            "dynamic_list",
            "ВЫБРАТЬ 1",
        ),
        ("Document.Заказ.Template.Схема", "Document.Заказ.Template.Схема", "data_composition", "ВЫБРАТЬ 2"),
    ]


def test_the_configuration_is_an_object_without_owner_that_refers_to_its_children(tmp_path):
    rows = rows_of(write(tmp_path, ORDERS))[1]["Configuration"]
    (row,) = rows.objects
    assert (row.id, row.owner_id, row.path) == ("Configuration.Проба", None, "Configuration.xml")
    assert [reference.target_id for reference in rows.references] == [
        "CommonModule.Общий",
        "Document.Заказ",
        "Subsystem.Продажи",
    ]


ROOT = Root(None, "designer", "Configuration", "Проба")  # type: ignore[arg-type]


def group(*children, kind="Catalog", **facts):
    folder = {"Catalog": "Catalogs", "Role": "Roles", "CalculationRegister": "CalculationRegisters"}[kind]
    top = Node(kind, "В", children=list(children))
    return assemble(
        ROOT, f"{folder}/В", {f"{folder}/В.xml": top, **{f"{folder}/В/{k}": v for k, v in facts.items()}}
    )


def test_of_two_names_that_differ_by_case_the_second_is_told_apart_and_reported():
    rows = group(Node("Attribute", "Код"), Node("Attribute", "КОД"), Node("Attribute", "код"))
    assert ids(rows.fields) == [
        "Catalog.В.Attribute.КОД~2",
        "Catalog.В.Attribute.Код",
        "Catalog.В.Attribute.код~3",
    ]
    assert [(row.reason, row.path, row.is_lost) for row in rows.rejected] == [
        ("duplicate_id", "Catalogs/В.xml", False)
    ] * 2
    assert len(set(ids(rows.rejected))) == 2


def test_a_file_that_no_owner_lists_is_rejected():
    path = "Catalogs/В/Forms/Забытая/Ext/Form/Module.bsl"
    rows = assemble(ROOT, "Catalogs/В", {"Catalogs/В.xml": Node("Catalog", "В"), path: None})
    assert [(row.reason, row.path) for row in rows.rejected] == [("unlisted_object", path)]
    assert rows.modules == []


def test_a_path_may_differ_in_case_from_the_name_in_the_file():
    """So it is after a rename on Windows; the file's content is right."""
    top = Node("Catalog", "ВАЛЮТЫ", children=[Node("Form", "СПИСОК")])
    facts = {
        "Catalogs/Валюты.xml": top,
        "Catalogs/Валюты/Forms/Список.xml": Node("Form", "СПИСОК", uuid="1"),
        "Catalogs/Валюты/Forms/Список/Ext/Form/Module.bsl": None,
    }
    rows = assemble(ROOT, "Catalogs/Валюты", facts)
    assert [(row.id, row.uuid) for row in rows.objects] == [
        ("Catalog.ВАЛЮТЫ", ""),
        ("Catalog.ВАЛЮТЫ.Form.СПИСОК", "1"),
    ]
    assert ids(rows.modules) == ["Catalog.ВАЛЮТЫ.Form.СПИСОК.Module"] and rows.rejected == []


def test_below_a_rejected_file_even_nested_owners_are_made_up():
    path = "Subsystems/А/Subsystems/Б/Subsystems/В.xml"
    rows = assemble(ROOT, "Subsystems/А", {path: Node("Subsystem", "В")})
    assert [(row.id, row.owner_id) for row in rows.objects] == [
        ("Subsystem.А", "Configuration.Проба"),
        ("Subsystem.А.Subsystem.Б", "Subsystem.А"),
        ("Subsystem.А.Subsystem.Б.Subsystem.В", "Subsystem.А.Subsystem.Б"),
    ]


def test_when_the_owners_file_was_rejected_all_that_it_owns_is_kept():
    """Its children are then known by their paths alone."""
    rows = assemble(
        ROOT,
        "Catalogs/В",
        {
            "Catalogs/В/Ext/ObjectModule.bsl": None,
            "Catalogs/В/Forms/Ф.xml": Node("Form", "Ф"),
            "Catalogs/В/Forms/Ф/Ext/Form/Module.bsl": None,
            "Catalogs/В/Commands/К/Ext/CommandModule.bsl": None,
        },
    )
    assert [(row.id, row.owner_id) for row in rows.objects] == [
        ("Catalog.В", "Configuration.Проба"),
        ("Catalog.В.Command.К", "Catalog.В"),
        ("Catalog.В.Form.Ф", "Catalog.В"),
    ]
    assert ids(rows.modules) == [
        "Catalog.В.Command.К.CommandModule",
        "Catalog.В.Form.Ф.Module",
        "Catalog.В.ObjectModule",
    ]
    assert rows.rejected == []


def test_a_form_whose_own_file_was_rejected_is_still_an_object_with_its_content():
    path = "Catalogs/В/Forms/Ф/Ext/Form.xml"
    content = Node("Form", children=[Node("FormItem", "Кнопка")])
    rows = assemble(
        ROOT,
        "Catalogs/В",
        {"Catalogs/В.xml": Node("Catalog", "В", children=[Node("Form", "Ф")]), path: content},
    )
    assert ids(rows.objects) == ["Catalog.В", "Catalog.В.Form.Ф"]
    assert ids(rows.fields) == ["Catalog.В.Form.Ф.Item.Кнопка"]


def test_a_child_that_is_listed_but_has_no_file_is_reported():
    rows = group(Node("Form", "Ф"), Node("Command", "К"))
    assert ids(rows.objects) == ["Catalog.В", "Catalog.В.Command.К"]
    assert [(row.reason, row.path, row.is_lost) for row in rows.rejected] == [
        ("missing_file", "Catalogs/В.xml", True)
    ]


def test_adopted_objects_refer_to_what_they_extend():
    top = Node(
        "Catalog",
        "В",
        is_adopted=True,
        children=[Node("Attribute", "А", is_adopted=True), Node("Attribute", "Б")],
    )
    rows = assemble(ROOT, "Catalogs/В", {"Catalogs/В.xml": top})
    assert rows.objects[0].belonging == "adopted"
    assert [(row.source_id, row.target_id) for row in rows.references] == [
        ("Catalog.В.Attribute.А", "extended:Catalog.В.Attribute.А"),
        ("Catalog.В", "extended:Catalog.В"),
    ]


def test_a_column_added_to_a_tabular_section_is_named_with_it():
    columns = [
        Node("FormAttributeColumn", "Остаток", properties={"Table": f"Объект.{t}"})
        for t in ("Товары", "Услуги")
    ]
    rows = group(Node("Form", "Ф", "1", children=[Node("FormAttribute", "Объект", children=columns)]))
    assert ids(rows.fields)[1:] == [
        "Catalog.В.Form.Ф.Attribute.Объект.Column.Товары.Остаток",
        "Catalog.В.Form.Ф.Attribute.Объект.Column.Услуги.Остаток",
    ]


def test_a_dimension_of_a_recalculation_is_no_dimension_of_a_register():
    recalculation = Node("Recalculation", "П", "1", children=[Node("Dimension", "Физлицо")])
    rows = group(recalculation, kind="CalculationRegister")
    assert [(row.id, row.kind) for row in rows.fields] == [
        ("CalculationRegister.В.Recalculation.П.Dimension.Физлицо", "RecalculationDimension")
    ]


def test_nested_predefined_items_and_form_items_keep_flat_ids():
    tree = Node("PredefinedItem", "Папка", children=[Node("PredefinedItem", "Товар")])
    rows = group(tree)
    assert [(row.id, row.parent_id) for row in rows.fields] == [
        ("Catalog.В.PredefinedItem.Папка", None),
        ("Catalog.В.PredefinedItem.Товар", "Catalog.В.PredefinedItem.Папка"),
    ]


def test_the_same_link_twice_is_one_reference():
    rows = group(Node("Attribute", "А", links=[Link("DataPath", "X.Y")] * 2))
    assert len(rows.references) == 1


def test_a_configuration_read_from_files_has_only_documented_kinds_of_reference(tmp_path):
    for rows in rows_of(write(tmp_path, ORDERS))[1].values():
        assert {row.kind for row in rows.references} <= set(REFERENCE_KINDS)


def test_facts_are_not_changed_by_assembling(tmp_path):
    recalculation = Node("Recalculation", "П", "1", children=[Node("Dimension", "Физлицо")])
    group(recalculation, kind="CalculationRegister")
    assert recalculation.children[0].kind == "Dimension"
