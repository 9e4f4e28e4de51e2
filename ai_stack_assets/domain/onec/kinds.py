"""The one registry of metadata kinds: their names in English and Russian, folders, type prefixes, children
and modules.

Whatever has to turn one name of a thing into another (a folder into a kind, `СправочникСсылка.Валюты` into
`Catalog.Валюты`, `Справочники` into `Catalog`) does it here. No parsing of files.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Kind:
    """One kind of top-level metadata object. `ru` and `ru_plural` are names in code, query language and the
    Designer tree."""

    name: str
    """`Catalog`: the prefix of ids, the XML element, the query-language name in English."""
    folder: str
    """`Catalogs`: the folder in both layouts, and the manager collection in English."""
    ru: str
    """`Справочник`: the query-language name, the prefix of full names in Russian."""
    ru_plural: str
    """`Справочники`: the manager collection in Russian."""
    has_manager: bool = False
    """The built-in language has the collection as a global property: `Справочники.Валюты`."""
    types: tuple[str, ...] = ()
    """Suffixes of the value types it generates: `Ref` gives `CatalogRef.Валюты`."""
    ids: tuple[str, ...] = ()
    """Further type names that denote it whole: `Characteristic` gives `Characteristic.ВидыСубконто`."""


_OBJECT = ("Ref", "Object", "Manager", "Selection", "List")
_REGISTER = ("RecordSet", "RecordKey", "Manager", "Selection", "List")

KINDS: tuple[Kind, ...] = (
    Kind("Subsystem", "Subsystems", "Подсистема", "Подсистемы"),
    Kind("StyleItem", "StyleItems", "ЭлементСтиля", "ЭлементыСтиля", True),
    Kind("Style", "Styles", "Стиль", "Стили"),
    Kind("PaletteColor", "PaletteColors", "ЦветПалитры", "ЦветаПалитры"),
    Kind("CommonPicture", "CommonPictures", "ОбщаяКартинка", "ОбщиеКартинки"),
    Kind("SessionParameter", "SessionParameters", "ПараметрСеанса", "ПараметрыСеанса", True),
    Kind("Role", "Roles", "Роль", "Роли"),
    Kind("CommonTemplate", "CommonTemplates", "ОбщийМакет", "ОбщиеМакеты"),
    Kind("FilterCriterion", "FilterCriteria", "КритерийОтбора", "КритерииОтбора", True, ("Manager", "List")),
    Kind("CommonModule", "CommonModules", "ОбщийМодуль", "ОбщиеМодули"),
    Kind("CommonAttribute", "CommonAttributes", "ОбщийРеквизит", "ОбщиеРеквизиты"),
    Kind("ExchangePlan", "ExchangePlans", "ПланОбмена", "ПланыОбмена", True, _OBJECT),
    Kind("XDTOPackage", "XDTOPackages", "ПакетXDTO", "ПакетыXDTO"),
    Kind("WebService", "WebServices", "WebСервис", "WebСервисы"),
    Kind("HTTPService", "HTTPServices", "HTTPСервис", "HTTPСервисы"),
    Kind("WSReference", "WSReferences", "WSСсылка", "WSСсылки", True, ("Manager",)),
    Kind("WebSocketClient", "WebSocketClients", "WebSocketКлиент", "WebSocketКлиенты", True, ("Manager",)),
    Kind(
        "IntegrationService",
        "IntegrationServices",
        "СервисИнтеграции",
        "СервисыИнтеграции",
        True,
        ("Manager",),
    ),
    Kind("Bot", "Bots", "Бот", "Боты", True),
    Kind("EventSubscription", "EventSubscriptions", "ПодпискаНаСобытие", "ПодпискиНаСобытия"),
    Kind("ScheduledJob", "ScheduledJobs", "РегламентноеЗадание", "РегламентныеЗадания"),
    Kind("SettingsStorage", "SettingsStorages", "ХранилищеНастроек", "ХранилищаНастроек", True, ("Manager",)),
    Kind("FunctionalOption", "FunctionalOptions", "ФункциональнаяОпция", "ФункциональныеОпции"),
    Kind(
        "FunctionalOptionsParameter",
        "FunctionalOptionsParameters",
        "ПараметрФункциональныхОпций",
        "ПараметрыФункциональныхОпций",
    ),
    Kind("DefinedType", "DefinedTypes", "ОпределяемыйТип", "ОпределяемыеТипы", ids=("DefinedType",)),
    Kind("CommonCommand", "CommonCommands", "ОбщаяКоманда", "ОбщиеКоманды"),
    Kind("CommandGroup", "CommandGroups", "ГруппаКоманд", "ГруппыКоманд"),
    Kind("Constant", "Constants", "Константа", "Константы", True, ("Manager", "ValueManager", "ValueKey")),
    Kind("CommonForm", "CommonForms", "ОбщаяФорма", "ОбщиеФормы"),
    Kind("Catalog", "Catalogs", "Справочник", "Справочники", True, _OBJECT),
    Kind("Document", "Documents", "Документ", "Документы", True, _OBJECT),
    Kind("DocumentNumerator", "DocumentNumerators", "НумераторДокументов", "НумераторыДокументов"),
    Kind(
        "Sequence",
        "Sequences",
        "Последовательность",
        "Последовательности",
        True,
        ("Record", "Manager", "RecordSet"),
    ),
    Kind(
        "DocumentJournal",
        "DocumentJournals",
        "ЖурналДокументов",
        "ЖурналыДокументов",
        True,
        ("Selection", "List", "Manager"),
    ),
    Kind("Enum", "Enums", "Перечисление", "Перечисления", True, ("Ref", "Manager", "List")),
    Kind("Report", "Reports", "Отчет", "Отчеты", True, ("Object", "Manager")),
    Kind("DataProcessor", "DataProcessors", "Обработка", "Обработки", True, ("Object", "Manager")),
    Kind(
        "InformationRegister",
        "InformationRegisters",
        "РегистрСведений",
        "РегистрыСведений",
        True,
        (*_REGISTER, "Record", "RecordManager"),
    ),
    Kind(
        "AccumulationRegister",
        "AccumulationRegisters",
        "РегистрНакопления",
        "РегистрыНакопления",
        True,
        (*_REGISTER, "Record"),
    ),
    Kind(
        "ChartOfCharacteristicTypes",
        "ChartsOfCharacteristicTypes",
        "ПланВидовХарактеристик",
        "ПланыВидовХарактеристик",
        True,
        _OBJECT,
        ("Characteristic",),
    ),
    Kind(
        "ChartOfAccounts",
        "ChartsOfAccounts",
        "ПланСчетов",
        "ПланыСчетов",
        True,
        (*_OBJECT, "ExtDimensionTypes", "ExtDimensionTypesRow"),
    ),
    Kind(
        "AccountingRegister",
        "AccountingRegisters",
        "РегистрБухгалтерии",
        "РегистрыБухгалтерии",
        True,
        (*_REGISTER, "Record", "ExtDimensions"),
    ),
    Kind(
        "ChartOfCalculationTypes",
        "ChartsOfCalculationTypes",
        "ПланВидовРасчета",
        "ПланыВидовРасчета",
        True,
        (
            *_OBJECT,
            "DisplacingCalculationTypes",
            "DisplacingCalculationTypesRow",
            "BaseCalculationTypes",
            "BaseCalculationTypesRow",
            "LeadingCalculationTypes",
            "LeadingCalculationTypesRow",
        ),
    ),
    Kind(
        "CalculationRegister",
        "CalculationRegisters",
        "РегистрРасчета",
        "РегистрыРасчета",
        True,
        (*_REGISTER, "Record"),
    ),
    Kind(
        "BusinessProcess",
        "BusinessProcesses",
        "БизнесПроцесс",
        "БизнесПроцессы",
        True,
        (*_OBJECT, "RoutePointRef"),
    ),
    Kind("Task", "Tasks", "Задача", "Задачи", True, _OBJECT),
    Kind(
        "ExternalDataSource",
        "ExternalDataSources",
        "ВнешнийИсточникДанных",
        "ВнешниеИсточникиДанных",
        True,
        ("Manager", "TablesManager", "CubesManager"),
    ),
    Kind("Interface", "Interfaces", "Интерфейс", "Интерфейсы"),
    Kind("Language", "Languages", "Язык", "Языки"),
)
"""Every kind of top-level object of platform ≤ 8.5."""

EXTERNAL_KINDS = ("ExternalDataProcessor", "ExternalReport")
"""Roots of their own: an external processor or report dumped to files."""

ROOT_KINDS = ("Configuration", "ConfigurationExtension", *EXTERNAL_KINDS)

BY_NAME = {kind.name: kind for kind in KINDS}
BY_FOLDER = {kind.folder: kind for kind in KINDS}
BY_RUSSIAN = {kind.ru: kind for kind in KINDS}
MANAGERS = {
    name.lower(): kind for kind in KINDS if kind.has_manager for name in (kind.folder, kind.ru_plural)
}
"""Global property of the built-in language, lower case, either language → kind: `справочники`, `catalogs`."""
QUERY_SOURCES = {name.lower(): kind for kind in KINDS for name in (kind.name, kind.ru)}
"""First word of a table in the query language, lower case, either language → kind: `справочник`,
`catalog`."""

CHILD_OBJECTS = {
    # XML element: (folder in both layouts, Russian name)
    "Form": ("Forms", "Форма"),
    "Template": ("Templates", "Макет"),
    "Command": ("Commands", "Команда"),
    "Subsystem": ("Subsystems", "Подсистема"),
    "Recalculation": ("Recalculations", "Перерасчет"),
    "Table": ("Tables", "Таблица"),
    "Cube": ("Cubes", "Куб"),
    "DimensionTable": ("DimensionTables", "ТаблицаИзмерения"),
}
"""Owned things that are rows of `objects`, not of `fields`."""

CHILD_FOLDERS = {folder: element for element, (folder, _) in CHILD_OBJECTS.items()}

CHILD_FIELDS = {
    "Attribute": "Реквизит",
    "TabularSection": "ТабличнаяЧасть",
    "Dimension": "Измерение",
    "Resource": "Ресурс",
    "EnumValue": "ЗначениеПеречисления",
    "AccountingFlag": "ПризнакУчета",
    "ExtDimensionAccountingFlag": "ПризнакУчетаСубконто",
    "AddressingAttribute": "РеквизитАдресации",
    "Column": "Графа",
    "URLTemplate": "ШаблонURL",
    "Method": "Метод",
    "Operation": "Операция",
    "Parameter": "Параметр",
    "IntegrationServiceChannel": "КаналСервисаИнтеграции",
    "Field": "Поле",
    "Function": "Функция",
}
"""Owned things that are rows of `fields`, by their XML element in `<ChildObjects>`."""

MODULE_FILES = {
    "Module",
    "ObjectModule",
    "ManagerModule",
    "RecordSetModule",
    "ValueManagerModule",
    "CommandModule",
    "ManagedApplicationModule",
    "OrdinaryApplicationModule",
    "SessionModule",
    "ExternalConnectionModule",
    "RecalculationModule",
}
"""Stems of module files in both layouts; the stem is also the last part of the module's id."""

_MODULE_KINDS = {
    "CommonModule": "CommonModule",
    "HTTPService": "HTTPServiceModule",
    "WebService": "WEBServiceModule",
    "IntegrationService": "IntegrationServiceModule",
    "Bot": "BotModule",
    "WebSocketClient": "WEBSocketClientModule",
    "Form": "FormModule",
    "CommonForm": "FormModule",
    "Recalculation": "RecalculationModule",
}


def module_kind(owner_kind: str, stem: str) -> str:
    """`("CommonForm", "Module")` → `FormModule`: `modules.kind` from the owner's kind and the file's stem."""
    if owner_kind == "Recalculation" or stem == "Module":
        return _MODULE_KINDS.get(owner_kind, stem)
    return stem
