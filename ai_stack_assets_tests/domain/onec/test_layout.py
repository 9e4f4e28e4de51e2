import pytest

from ai_stack_assets.domain.common.failures import PermanentError
from ai_stack_assets.domain.onec.layout import discover, list_files
from ai_stack_assets_tests.domain.onec.designer_xml import configuration, form, metadata, write

CURRENCIES = {
    "Configuration.xml": configuration("Catalog.Валюты"),
    "Catalogs/Валюты.xml": metadata("Catalog", "Валюты", children="<Form>Список</Form>"),
    "Catalogs/Валюты/Ext/ManagerModule.bsl": "",
    "Catalogs/Валюты/Ext/ObjectModule.bin": "",
    "Catalogs/Валюты/Ext/Help.xml": "<Help/>",
    "Catalogs/Валюты/Ext/Help/ru.html": "<html/>",
    "Catalogs/Валюты/Forms/Список.xml": metadata("Form", "Список"),
    "Catalogs/Валюты/Forms/Список/Ext/Form.xml": form(""),
    "Catalogs/Валюты/Forms/Список/Ext/Form/Module.bsl": "",
    "Catalogs/Валюты/Forms/Список/Ext/Form/Items/Кнопка/Picture.png": "",
    "Ext/SessionModule.bsl": "",
    "Ext/Splash.xml": "<x/>",
}


def test_a_designer_dump_is_found_and_named(tmp_path):
    write(tmp_path / "src" / "cf", CURRENCIES)
    (root,) = discover(tmp_path)
    assert (root.layout, root.kind, root.name, root.id) == (
        "designer",
        "Configuration",
        "Проба",
        "Configuration.Проба",
    )
    assert root.path == tmp_path / "src" / "cf"
    assert root.children == {"Catalogs/Валюты"}


def test_an_extension_is_told_from_a_configuration(tmp_path):
    adopted = "<ObjectBelonging>Adopted</ObjectBelonging><NamePrefix>Расш_</NamePrefix>"
    write(tmp_path, {"Configuration.xml": configuration(properties=adopted)})
    (root,) = discover(tmp_path)
    assert (root.kind, root.id) == ("ConfigurationExtension", "Configuration.Проба")


def test_all_configurations_of_a_repository_are_found_in_order(tmp_path):
    write(tmp_path / "b", CURRENCIES)
    write(tmp_path / "a", {"Configuration.xml": configuration()})
    write(
        tmp_path / "epf",
        {"Печать.xml": metadata("ExternalDataProcessor", "Печать"), "Печать/Ext/ObjectModule.bsl": ""},
    )
    write(tmp_path / "erf", {"Остатки.xml": metadata("ExternalReport", "Остатки")})
    write(tmp_path / ".git", {"Configuration.xml": configuration()})
    found = [(root.path.name, root.kind, root.id) for root in discover(tmp_path)]
    assert found == [
        ("a", "Configuration", "Configuration.Проба"),
        ("b", "Configuration", "Configuration.Проба"),
        ("epf", "ExternalDataProcessor", "ExternalDataProcessor.Печать"),
        ("erf", "ExternalReport", "ExternalReport.Остатки"),
    ]


def test_an_edt_project_is_found_by_its_configuration_file(tmp_path):
    mdo = (
        '<mdclass:Configuration xmlns:mdclass="http://g5.1c.ru/v8/dt/metadata/mdclass" uuid="1">'
        "<name>Проба</name></mdclass:Configuration>"
    )
    write(tmp_path, {"project/src/Configuration/Configuration.mdo": mdo})
    (root,) = discover(tmp_path)
    assert (root.layout, root.name, root.path) == ("edt", "Проба", tmp_path / "project" / "src")


def test_a_broken_configuration_file_still_makes_a_root(tmp_path):
    write(tmp_path / "бухгалтерия" / "src" / "cf", {**CURRENCIES, "Configuration.xml": "<MetaDataObject>"})
    (root,) = discover(tmp_path)
    assert (root.name, root.children) == ("бухгалтерия", frozenset())


@pytest.mark.parametrize("files", [{}, {"readme.md": "# no"}, {"Configuration.xml": "<settings/>"}])
def test_a_folder_without_1c_sources_says_what_was_looked_for(tmp_path, files):
    write(tmp_path, files)
    with pytest.raises(PermanentError, match=r"no 1C source.*Configuration\.xml.*Configuration\.mdo"):
        discover(tmp_path)


def test_a_missing_folder_is_named(tmp_path):
    with pytest.raises(PermanentError, match="нигде is no folder"):
        discover(tmp_path / "нигде")


def listed(folder):
    (root,) = discover(folder)
    files, rejected = list_files(root)
    return {file.path: (file.role, file.group) for file in files}, [
        (row.path, row.reason) for row in rejected
    ]


def test_files_are_listed_by_role_and_group_and_others_are_not(tmp_path):
    files, rejected = listed(write(tmp_path, CURRENCIES))
    group = "Catalogs/Валюты"
    assert rejected == []
    assert files == {
        "Catalogs/Валюты.xml": ("object", group),
        "Catalogs/Валюты/Ext/Help.xml": ("help", group),
        "Catalogs/Валюты/Ext/ManagerModule.bsl": ("module", group),
        "Catalogs/Валюты/Ext/ObjectModule.bin": ("module", group),
        "Catalogs/Валюты/Forms/Список.xml": ("object", group),
        "Catalogs/Валюты/Forms/Список/Ext/Form.xml": ("form", group),
        "Catalogs/Валюты/Forms/Список/Ext/Form/Module.bsl": ("module", group),
        "Configuration.xml": ("object", "Configuration"),
        "Ext/SessionModule.bsl": ("module", "Configuration"),
    }


def test_the_listing_is_sorted_and_has_sizes(tmp_path):
    (root,) = discover(write(tmp_path, CURRENCIES))
    files, _ = list_files(root)
    assert [file.path for file in files] == sorted(file.path for file in files)
    assert all(file.size == (tmp_path / file.path).stat().st_size and file.mtime_ns > 0 for file in files)


def test_an_object_that_the_configuration_does_not_list_is_rejected(tmp_path):
    files, rejected = listed(
        write(tmp_path, {**CURRENCIES, "Catalogs/Забытый.xml": metadata("Catalog", "Забытый")})
    )
    assert rejected == [("Catalogs/Забытый.xml", "unlisted_object")]
    assert "Catalogs/Забытый.xml" not in files


def test_a_file_whose_case_differs_from_the_list_is_of_the_configuration(tmp_path):
    renamed = {
        "Configuration.xml": configuration("Catalog.ВАЛЮТЫ"),
        "Catalogs/Валюты.xml": metadata("Catalog", "ВАЛЮТЫ"),
    }
    files, rejected = listed(write(tmp_path, renamed))
    assert "Catalogs/Валюты.xml" in files and rejected == []


def test_objects_whose_names_differ_by_case_are_both_listed_and_reported(tmp_path):
    twins = {
        "Configuration.xml": configuration("Catalog.Валюты", "Catalog.ВАЛЮТЫ"),
        "Catalogs/Валюты.xml": metadata("Catalog", "Валюты"),
        "Catalogs/ВАЛЮТЫ.xml": metadata("Catalog", "ВАЛЮТЫ"),
        "Catalogs/ВАЛЮТЫ/Ext/ObjectModule.bsl": "",
    }
    files, rejected = listed(write(tmp_path, twins))
    assert {"Catalogs/Валюты.xml", "Catalogs/ВАЛЮТЫ.xml"} <= set(files)
    assert rejected == [("Catalogs/Валюты.xml", "duplicate_id")]


def test_links_out_of_the_root_are_rejected_and_never_followed(tmp_path):
    folder = write(tmp_path / "cf", CURRENCIES)
    (tmp_path / "secret.bsl").write_text("Секрет")
    outside = tmp_path / "outside"
    write(outside, {"Роль.xml": metadata("Role", "Роль")})
    (folder / "Catalogs/Валюты/Ext/RecordSetModule.bsl").symlink_to(tmp_path / "secret.bsl")
    (folder / "Roles").symlink_to(outside)
    files, rejected = listed(folder)
    assert rejected == [("Catalogs/Валюты/Ext/RecordSetModule.bsl", "unsafe_path"), ("Roles", "unsafe_path")]
    assert not any(path.startswith("Roles") or "RecordSet" in path for path in files)


def test_a_link_to_a_folder_inside_makes_no_loop(tmp_path):
    folder = write(tmp_path, CURRENCIES)
    (folder / "Catalogs/Валюты/Forms/Ещё").symlink_to(folder / "Catalogs")
    files, rejected = listed(folder)
    assert not any("Ещё" in path for path in files) and rejected == []


def test_an_external_processor_lists_only_its_own_files(tmp_path):
    own = {"Печать.xml": metadata("ExternalDataProcessor", "Печать"), "Печать/Ext/ObjectModule.bsl": ""}
    write(tmp_path, {**own, "Остатки.xml": metadata("ExternalReport", "Остатки")})
    root = next(root for root in discover(tmp_path) if root.name == "Печать")
    files, _ = list_files(root)
    assert [(file.path, file.role, file.group) for file in files] == [
        ("Печать.xml", "object", "ExternalDataProcessors/Печать"),
        ("Печать/Ext/ObjectModule.bsl", "module", "ExternalDataProcessors/Печать"),
    ]
