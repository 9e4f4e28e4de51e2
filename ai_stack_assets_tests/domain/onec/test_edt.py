"""What is peculiar to EDT projects: where things lie, what is left out, what is no module though named so."""

import json
from pathlib import Path

import pytest

from ai_stack_assets.domain.onec.assembly import GroupRows, assemble
from ai_stack_assets.domain.onec.layout import discover, list_files
from ai_stack_assets.domain.onec.model import Node, Rejection
from ai_stack_assets.domain.onec.reader import parse_file

NAMESPACES = (
    'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xmlns:core="http://g5.1c.ru/v8/dt/mcore"'
    ' xmlns:mdclass="http://g5.1c.ru/v8/dt/metadata/mdclass" xmlns:form="http://g5.1c.ru/v8/dt/form"'
)


def mdo(kind: str, content: str) -> bytes:
    uuid = "1D6B8425-360C-4AB1-9BAB-CC9A3B590BB2"
    return f'<mdclass:{kind} {NAMESPACES} uuid="{uuid}">{content}</mdclass:{kind}>'.encode()


def read(kind: str, content: str) -> Node:
    return parse_file("edt", "object", mdo(kind, content))


def read_form(content: str) -> Node:
    return parse_file("edt", "form", f"<form:Form {NAMESPACES}>{content}</form:Form>".encode())


class Project:
    """A project with one catalog."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        catalogs = "<name>К</name><catalogs>Catalog.А</catalogs>"
        self.write("src/Configuration/Configuration.mdo", mdo("Configuration", catalogs))
        self.write(
            "src/Catalogs/А/А.mdo", mdo("Catalog", "<name>А</name><forms uuid='2'><name>Ф</name></forms>")
        )

    def write(self, path: str, data: bytes) -> None:
        file = self.folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(data)


@pytest.fixture
def project(tmp_path) -> Project:
    return Project(tmp_path)


def rows(folder) -> GroupRows:
    (root,) = discover(folder)
    files, _ = list_files(root)
    facts = {
        file.path: None
        if file.role == "module"
        else parse_file("edt", file.role, (root.path / file.path).read_bytes())
        for file in files
        if file.group == "Catalogs/А"
    }
    return assemble(root, "Catalogs/А", facts)


# ---- where things lie


def test_a_project_is_found_by_its_configuration(project):
    (root,) = discover(project.folder)
    assert (root.layout, root.kind, root.name) == ("edt", "Configuration", "К")


def test_modules_of_an_object_and_of_its_form_are_found(project):
    project.write("src/Catalogs/А/ObjectModule.bsl", b"")
    project.write("src/Catalogs/А/Forms/Ф/Module.bsl", b"")
    assert [module.id for module in rows(project.folder).modules] == [
        "Catalog.А.Form.Ф.Module",
        "Catalog.А.ObjectModule",
    ]


def test_templates_of_the_editor_are_no_modules(project):
    project.write("templates/Module.bsl", b"")
    project.write(".settings/Module.bsl", b"")
    project.write("src/Catalogs/А/Templates/Т/Template.bsl", b"")
    assert rows(project.folder).modules == []


def test_the_original_of_an_adopted_form_is_not_read(project):
    project.write("src/Catalogs/А/Forms/Ф/BaseForm/Form.form", b"<broken")
    assert [row.id for row in rows(project.folder).objects] == ["Catalog.А", "Catalog.А.Form.Ф"]


def test_an_object_that_the_configuration_does_not_list_is_told(project):
    project.write("src/Catalogs/Б/Б.mdo", mdo("Catalog", "<name>Б</name>"))
    (root,) = discover(project.folder)
    assert [row.reason for row in list_files(root)[1]] == ["unlisted_object"]


def test_a_stray_file_beside_objects_is_nothing(project):
    project.write("src/Catalogs/convert.sh", b"")
    (root,) = discover(project.folder)
    assert list_files(root)[1] == []


def test_other_xml_in_place_of_an_object_is_rejected():
    with pytest.raises(Rejection, match="unexpected_xml"):
        parse_file("edt", "object", b"<Catalog><name/></Catalog>")


# ---- what is left out


def test_what_is_left_out_has_the_designers_default():
    assert read("Catalog", "<name>А</name>").properties == {}
    assert read("CommandGroup", "<name>Г</name>").properties == {"Category": "NavigationPanel"}
    assert read("StyleItem", "<name>С</name>").properties == {"Type": "Color"}


def test_qualifiers_that_are_left_out_are_filled():
    types = (
        "<type><types>String</types><types>Number</types><types>Date</types>"
        "<stringQualifiers/><numberQualifiers><precision>5</precision></numberQualifiers><dateQualifiers/></type>"
    )
    assert json.loads(read("Constant", types).types) == [
        {"type": "Date", "date_fractions": "DateTime"},
        {"type": "Number", "digits": 5, "fraction_digits": 0, "allowed_sign": "Any"},
        {"type": "String", "length": 0, "allowed_length": "Variable"},
    ]


def test_an_unknown_value_is_kept_as_it_stands():
    assert read("Catalog", "<codeType>Иное</codeType>").properties == {"CodeType": "Иное"}
    assert read("Catalog", "<codeLength>много</codeLength>").properties == {"CodeLength": "много"}


def test_versions_are_written_as_in_a_designer_dump():
    node = read("Configuration", "<compatibilityMode>8.3.24</compatibilityMode>")
    assert node.properties["CompatibilityMode"] == "Version8_3_24"
    assert node.properties["ConfigurationExtensionCompatibilityMode"] == "Version8_3_24"


def test_texts_by_language_are_one_value():
    content = "".join(
        f"<synonym><key>{key}</key><value>{value}</value></synonym>"
        for key, value in (("ru", "А"), ("en", "A"), ("de", ""))
    )
    assert read("Catalog", content).synonym == '{"en":"A","ru":"А"}'


# ---- parts of objects


def test_names_in_capitals_are_found_in_any_case_of_letters():
    node = read(
        "Configuration",
        "<xDTOPackages>XDTOPackage.П</xDTOPackages><httpServices>HTTPService.С</httpServices>"
        "<wsReferences>WSReference.В</wsReferences>",
    )
    assert [link.target for link in node.links] == ["XDTOPackage.П", "HTTPService.С", "WSReference.В"]


def test_a_language_is_described_in_the_configuration():
    node = read(
        "Configuration", "<languages uuid='2'><name>Русский</name><languageCode>ru</languageCode></languages>"
    )
    assert [(child.kind, child.name, child.properties) for child in node.children] == [
        ("Language", "Русский", {"LanguageCode": "ru"})
    ]
    assert node.links[0].target == "Language.Русский"


def test_nested_subsystems_and_tables_are_only_named():
    assert [child.name for child in read("Subsystem", "<subsystems>Цены</subsystems>").children] == ["Цены"]
    tables = "<tables>ExternalDataSource.С.Table.Т</tables>"
    assert [(c.kind, c.name) for c in read("ExternalDataSource", tables).children] == [("Table", "Т")]


def test_predefined_items_nest_and_have_codes_of_two_sorts():
    node = read(
        "Catalog",
        "<predefined><items id='A'><name>Г</name><isFolder>true</isFolder><code>1</code>"
        "<content id='B'><name>Э</name><code xsi:type='core:StringValue'><value>2</value></code></content>"
        "</items></predefined>",
    )
    (folder,) = node.children
    assert (folder.kind, folder.uuid, folder.properties) == (
        "PredefinedItem",
        "a",
        {"Code": "1", "IsFolder": True},
    )
    assert [(item.name, item.properties) for item in folder.children] == [("Э", {"Code": "2"})]


def test_predefined_is_a_flag_for_a_job():
    assert read("ScheduledJob", "<predefined>true</predefined>").properties == {"Predefined": True}


def test_days_of_a_schedule_are_numbers():
    schedule = (
        b'<s:Schedule xmlns:s="x" beginDate="0001-01-01" beginTime="08:00:00" daysRepeatPeriod="1">'
        b"<weekDays>Mon</weekDays><weekDays>Sun</weekDays><months>Feb</months></s:Schedule>"
    )
    assert parse_file("edt", "schedule", schedule).properties["Schedule"] == {
        "BeginTime": "08:00:00",
        "DaysRepeatPeriod": 1,
        "WeekDays": [1, 7],
        "Months": [2],
    }


# ---- forms


def test_handlers_lie_beside_the_item_or_in_its_extension():
    form = read_form(
        "<handlers><event>OnOpen</event><name>ПриОткрытии</name></handlers>"
        "<extInfo xsi:type='form:DocumentFormExtInfo'><handlers><event>AfterWrite</event>"
        "<name>ПослеЗаписи</name></handlers></extInfo>"
    )
    assert [(link.target, link.detail) for link in form.links] == [
        ("@.Module.ПриОткрытии", "OnOpen"),
        ("@.Module.ПослеЗаписи", "AfterWrite"),
    ]


@pytest.mark.parametrize(
    ("form_class", "own", "expected"),
    [
        ("FormField", "<type>InputField</type>", "InputField"),
        ("FormField", "", "LabelField"),
        ("FormGroup", "<type>Pages</type>", "Pages"),
        ("FormGroup", "", "ButtonGroup"),
        ("Decoration", "<type>Picture</type>", "PictureDecoration"),
        ("Decoration", "", "LabelDecoration"),
        ("Addition", "", "SearchStringAddition"),
        ("Button", "<type>UsualButton</type>", "Button"),
        ("Table", "", "Table"),
    ],
)
def test_items_are_named_as_in_a_designer_dump(form_class, own, expected):
    (item,) = read_form(f"<items xsi:type='form:{form_class}'><name>Э</name>{own}</items>").children
    assert item.properties == {"ItemType": expected}


def test_items_of_bars_are_marked_and_come_first():
    form = read_form(
        "<items xsi:type='form:Table'><name>Т</name></items>"
        "<autoCommandBar><name>Панель</name><items xsi:type='form:Button'><name>К</name>"
        "<commandName>Form.Command.Загрузить</commandName></items></autoCommandBar>"
    )
    assert [(item.name, item.properties.get("Place")) for item in form.children] == [
        ("К", "CommandBar"),
        ("Т", None),
    ]
    assert form.children[0].links[0].target == "@.Command.Загрузить"


def test_a_data_path_by_language_is_a_data_path():
    form = read_form(
        "<attributes><name>Реквизит</name><valueType><types>String</types></valueType></attributes>"
        "<items xsi:type='form:FormField'><name>П</name><dataPath xsi:type='form:MultiLanguageDataPath'>"
        "<paths xsi:type='form:DataPath'><segments>Реквизит</segments></paths></dataPath></items>"
    )
    item = form.children[1]
    assert item.data_path == "Реквизит"
    assert item.links[0].target == "@.Attribute.Реквизит"


def test_the_query_of_a_dynamic_list_is_kept():
    form = read_form(
        "<attributes><name>Список</name><valueType><types>DynamicList</types></valueType>"
        "<extInfo xsi:type='form:DynamicListExtInfo'><queryText>ВЫБРАТЬ 1</queryText>"
        "<mainTable>Catalog.А</mainTable></extInfo></attributes>"
    )
    assert form.children[0].queries == ["ВЫБРАТЬ 1"]
    assert [(link.kind, link.target) for link in form.children[0].links] == [("MainTable", "Catalog.А")]
