import pytest

from ai_stack_assets.domain.onec.model import Link, Rejection
from ai_stack_assets_tests.domain.onec.designer_xml import form, read, text, typed

ATTRIBUTES = f"""
<Attributes>
  <Attribute name="Объект" id="1">{typed("cfg:DocumentObject.Заказ")}<MainAttribute>true</MainAttribute>
    <Columns><AdditionalColumns table="Объект.Товары"><Column name="Остаток" id="2">{typed("xs:decimal")}</Column>
    </AdditionalColumns></Columns></Attribute>
  <Attribute name="Таблица" id="3">{text("Title", ru="Подбор")}{typed("v8:ValueTable")}
    <Columns><Column name="Цена" id="4">{typed("xs:decimal")}</Column></Columns></Attribute>
  <Attribute name="Список" id="5">{typed("cfg:DynamicList")}<Settings xsi:type="DynamicList">
    <ManualQuery>true</ManualQuery><QueryText>ВЫБРАТЬ 1</QueryText><MainTable>Catalog.Валюты</MainTable></Settings></Attribute>
  <Attribute name="НаборКонстант" id="6">{typed("cfg:ConstantsSet")}</Attribute>
  <Attribute name="Смесь" id="7">{typed("cfg:CatalogRef.А", "cfg:CatalogRef.Б")}</Attribute>
</Attributes>"""


def items(content):
    return read("form", form(ATTRIBUTES + f"<ChildItems>{content}</ChildItems>"))


def found(node, name):
    for child in node.children:
        if child.name == name:
            return child
        if inner := found(child, name):
            return inner
    return None


@pytest.mark.parametrize(
    ("data_path", "target"),
    [
        ("Объект", "@.Attribute.Объект"),
        ("Объект.Валюта", "Document.Заказ.*.Валюта"),
        ("Объект.Товары.Цена", "Document.Заказ.*.Товары.*.Цена"),
        ("Объект.Товары.Остаток", "@.Attribute.Объект.Column.Товары.Остаток"),
        ("Таблица.Цена", "@.Attribute.Таблица.Column.Цена"),
        ("Таблица.Неизвестная", "@.Attribute.Таблица"),
        ("Список.Код", "Catalog.Валюты.*.Код"),
        ("~Список.Код", "Catalog.Валюты.*.Код"),
        ("НаборКонстант.Курс", "Constant.Курс"),
        ("Смесь.Код", "@.Attribute.Смесь"),
        ("Items.ТаблицаТовары.CurrentData.Цена", "Document.Заказ.*.Товары.*.Цена"),
    ],
)
def test_a_data_path_leads_out_of_the_form_by_the_attributes_type(data_path, target):
    table = '<Table name="ТаблицаТовары"><DataPath>Объект.Товары</DataPath></Table>'
    node = items(f'{table}<InputField name="Поле" id="1"><DataPath>{data_path}</DataPath></InputField>')
    field = found(node, "Поле")
    assert field.data_path == data_path
    assert field.links == [Link("DataPath", target, data_path)]


def test_a_data_path_to_nothing_known_gives_no_link():
    assert found(items('<InputField name="П"><DataPath>1/0:aa</DataPath></InputField>'), "П").links == []


def test_items_nest_and_those_of_bars_are_marked():
    node = items(
        """<UsualGroup name="Группа"><ChildItems><Table name="Т">
             <ContextMenu name="М"><ChildItems><Button name="ВМеню"/></ChildItems></ContextMenu>
             <AutoCommandBar name="К"><ChildItems><Popup name="Ещё"><ChildItems><Button name="ВПанели"/></ChildItems></Popup>
             </ChildItems></AutoCommandBar>
             <ExtendedTooltip name="Подсказка"/><SearchStringAddition name="Поиск"/>
             <ChildItems><SpreadSheetDocumentField name="Документ"/></ChildItems></Table></ChildItems></UsualGroup>"""
    )
    assert [child.name for child in found(node, "Т").children] == ["ВМеню", "Ещё", "Документ"]
    assert found(node, "ВМеню").properties == {"ItemType": "Button", "Place": "ContextMenu"}
    assert found(node, "ВПанели").properties == {"ItemType": "Button", "Place": "CommandBar"}
    assert found(node, "Документ").properties == {"ItemType": "SpreadsheetDocumentField"}
    assert found(node, "Подсказка") is None and found(node, "Поиск") is None


def test_handlers_of_form_items_and_commands_lead_to_methods_of_the_form():
    node = read(
        "form",
        form(
            """<Events><Event name="OnOpen">ПриОткрытии</Event><Event name="OnClose" callType="After">Расш_ПриЗакрытии</Event>
               <Event name="Пустое"/></Events>
               <ChildItems><InputField name="П"><Events><Event name="OnChange">ППриИзменении</Event></Events></InputField>
               <Button name="К"><CommandName>Form.Command.Печать</CommandName></Button>
               <Button name="Ч"><CommandName>Catalog.Валюты.Command.Чужая</CommandName></Button>
               <Button name="С"><CommandName>Form.StandardCommand.Close</CommandName></Button></ChildItems>
               <Commands><Command name="Печать"><Action>Печать</Action></Command></Commands>"""
        ),
    )
    assert node.links == [
        Link("FormHandler", "@.Module.ПриОткрытии", "OnOpen"),
        Link("FormHandler", "@.Module.Расш_ПриЗакрытии", "OnClose", '{"CallType":"After"}'),
    ]
    assert found(node, "П").links == [Link("ItemHandler", "@.Module.ППриИзменении", "OnChange")]
    assert found(node, "К").links == [Link("ItemCommand", "@.Command.Печать")]
    assert found(node, "Ч").links == [Link("ItemCommand", "Catalog.Валюты.Command.Чужая")]
    assert found(node, "С").links == []
    command = next(child for child in node.children if child.kind == "FormCommand")
    assert (command.name, command.links) == ("Печать", [Link("CommandHandler", "@.Module.Печать")])


def test_a_dynamic_list_has_its_query_and_main_table():
    attribute = found(items(""), "Список")
    assert attribute.queries == ["ВЫБРАТЬ 1"]
    assert attribute.links == [Link("MainTable", "Catalog.Валюты")]
    assert attribute.types == '[{"type":"DynamicList"}]'


def test_attributes_have_columns_titles_and_types():
    node = items("")
    assert found(node, "Объект").properties == {"MainAttribute": True}
    assert found(node, "Таблица").synonym == '{"ru":"Подбор"}'
    column = found(node, "Остаток")
    assert (column.kind, column.properties) == ("FormAttributeColumn", {"Table": "Объект.Товары"})


def test_functional_options_parameters_and_titles_are_kept():
    node = read(
        "form",
        form(
            text("Title", ru="Заказ")
            + '<Parameters><Parameter name="Ключ"><KeyParameter>true</KeyParameter></Parameter></Parameters>'
            + '<Commands><Command name="К"><FunctionalOptions><Item>FunctionalOption.Ф</Item></FunctionalOptions></Command>'
            "</Commands>"
        ),
    )
    assert node.properties == {"Title": {"ru": "Заказ"}}
    parameter = found(node, "Ключ")
    assert (parameter.kind, parameter.properties) == ("FormParameter", {"KeyParameter": True})
    assert found(node, "К").links == [Link("FunctionalOptionUse", "FunctionalOption.Ф")]


def test_the_copy_of_the_original_in_an_adopted_form_is_left_out():
    node = read("form", form('<BaseForm><ChildItems><InputField name="Старое"/></ChildItems></BaseForm>'))
    assert node.children == []


def test_a_file_that_is_no_form_is_rejected():
    with pytest.raises(Rejection, match="no form"):
        read("form", "<Rights/>")
