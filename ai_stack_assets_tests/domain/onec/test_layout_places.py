import pytest

from ai_stack_assets.domain.onec.places import Place, place_of


@pytest.mark.parametrize(
    ("path", "place"),
    [
        ("Catalogs/Валюты.xml", Place("Catalog.Валюты", "Catalog", True, "")),
        ("Catalogs/Валюты/Валюты.mdo", Place("Catalog.Валюты", "Catalog", True, "")),
        ("Catalogs/В/Ext/ObjectModule.bsl", Place("Catalog.В", "Catalog", False, "ObjectModule")),
        ("Catalogs/В/ObjectModule.bsl", Place("Catalog.В", "Catalog", False, "ObjectModule")),
        ("Catalogs/В/Forms/Ф.xml", Place("Catalog.В.Form.Ф", "Form", True, "")),
        ("Catalogs/В/Forms/Ф/Ext/Form.xml", Place("Catalog.В.Form.Ф", "Form", False, "")),
        ("Catalogs/В/Forms/Ф/Form.form", Place("Catalog.В.Form.Ф", "Form", False, "")),
        ("Catalogs/В/Forms/Ф/Ext/Form/Module.bsl", Place("Catalog.В.Form.Ф", "Form", False, "Module")),
        ("CommonForms/Ф/Ext/Form/Module.bsl", Place("CommonForm.Ф", "CommonForm", False, "Module")),
        ("Subsystems/А/Subsystems/Б.xml", Place("Subsystem.А.Subsystem.Б", "Subsystem", True, "")),
        ("Subsystems/А/Subsystems/Б/Б.mdo", Place("Subsystem.А.Subsystem.Б", "Subsystem", True, "")),
        (
            "Catalogs/В/Commands/К/CommandModule.bsl",
            Place("Catalog.В.Command.К", "Command", False, "CommandModule"),
        ),
        ("ExternalDataSources/И/Tables/Т.xml", Place("ExternalDataSource.И.Table.Т", "Table", True, "")),
        ("Configuration.xml", Place("", "", True, "")),
        ("Configuration/Configuration.mdo", Place("", "", True, "")),
        ("Ext/SessionModule.bsl", Place("", "", False, "SessionModule")),
        ("Configuration/SessionModule.bsl", Place("", "", False, "SessionModule")),
    ],
)
def test_a_path_tells_whose_file_it_is(path, place):
    assert place_of("Configuration", path) == place


def test_a_decomposed_letter_in_a_path_is_the_same_letter():
    assert place_of("Configuration", "Catalogs/Счетчики\u0438\u0306.xml").owner_id == "Catalog.Счетчики\u0439"


def test_a_path_of_an_external_processor_starts_at_its_name():
    place = place_of("ExternalDataProcessor", "Печать/Forms/Ф/Ext/Form.xml")
    assert place == Place("ExternalDataProcessor.Печать.Form.Ф", "Form", False, "")
