"""Which properties of metadata are kept, and their defaults; which are links. One table for all kinds and
both layouts.

A Designer dump writes every property, an EDT project only those that differ from EDT's defaults. So a
property equal to its default here is dropped from both. A few are too telling to be absent: assembly puts
their default back (`FILLED`)."""

from __future__ import annotations

from typing import Any

_TEXT = (
    # no default that could be dropped, but the empty text
    "AccountType", "Category", "CodeMask", "Code", "CompatibilityMode",
    "ConfigurationExtensionCompatibilityMode", "Description", "DescriptorFileName", "Event",
    "ExpressionInDataSource", "ExternalIntegrationServiceAddress",
    "ExternalIntegrationServiceChannelName", "Group", "HTTPMethod", "Key", "LanguageCode", "LocationURL",
    "Mask", "MessageDirection", "NameInDataSource", "NamePrefix", "Namespace", "RootURL", "ServerURL",
    "Shortcut", "Template", "UpdateCatalogAddress", "Vendor", "Version", "XDTOReturningValueType",
    "XDTOValueType",
)  # fmt: skip
_FLAGS = (
    "ActionPeriod", "ActionPeriodUse", "AutoConnect", "AutoOrderByCode", "Autonumbering", "Balance",
    "BaseDimension", "BasePeriod", "CheckUnique", "ClientManagedApplication", "ClientOrdinaryApplication",
    "Correspondence", "CreateTaskInPrivilegedMode", "DenyIncompleteValues", "DistributedInfoBase",
    "EnableTotalsSliceFirst", "EnableTotalsSliceLast", "EnableTotalsSplitting", "ExternalConnection",
    "FoldersOnTop", "Global", "Hierarchical", "IncludeConfigurationExtensions", "IncludeHelpInContents",
    "IncludeInCommandInterface", "IsFolder", "KeepMappingToExtendedConfigurationObjectsByIDs",
    "LimitLevelCount", "MainFilter", "MainFilterOnPeriod", "Master", "ModifiesData", "MultiLine",
    "Nillable", "OffBalance", "PasswordMode", "PostInPrivilegedMode", "Predefined", "Privileged",
    "PrivilegedGetMode", "ReturnValue", "Server", "ServerCall", "Transactioned", "UnpostInPrivilegedMode",
    "Use", "UseInTotals", "UseManagedFormInOrdinaryApplication", "UseOneCommand",
    "UseOrdinaryFormInManagedApplication", "UseStandardCommands",
)  # fmt: skip
_NUMBERS = (
    "CodeLength", "DescriptionLength", "LevelCount", "MaxExtDimensionCount", "NumberLength",
    "OrderLength", "RestartCountOnFailure", "RestartIntervalOnFailure", "SessionMaxAge",
)  # fmt: skip

DEFAULTS: dict[str, Any] = {
    **dict.fromkeys(_TEXT, ""),
    **dict.fromkeys(_FLAGS, False),
    **dict.fromkeys(_NUMBERS, 0),
    "AuthenticationSeparation": "Separate",
    "AutoUse": "Use",
    "ChoiceMode": "FromForm",
    "CodeAllowedLength": "Fixed",
    "CodeSeries": "",
    "CodeType": "Number",
    "ConfigurationExtensionPurpose": "Patch",
    "ConfigurationExtensionsSeparation": "Separate",
    "CreateOnInput": "Auto",
    "DataHistory": "DontUse",
    "DataLockControlMode": "Automatic",
    "DataSeparation": "Separate",
    "DefaultPresentation": "AsCode",
    "DefaultRunMode": "OrdinaryApplication",
    "DependenceOnCalculationTypes": "DontUse",
    "EditType": "InList",
    "FillChecking": "DontCheck",
    "FormType": "Managed",
    "FullTextSearch": "DontUse",
    "HierarchyType": "HierarchyFoldersAndItems",
    "Indexing": "DontIndex",
    "InformationRegisterPeriodicity": "Nonperiodical",
    "InterfaceCompatibilityMode": "Taxi",
    "ModalityUseMode": "Use",
    "MoveBoundaryOnPosting": "Move",
    "NumberAllowedLength": "Fixed",
    "NumberPeriodicity": "Nonperiodical",
    "NumberType": "Number",
    "ObjectAutonumerationMode": "AutoFree",
    "ParameterUseMode": "Single",
    "Periodicity": "Month",
    "Posting": "Allow",
    "PredefinedDataUpdate": "Auto",
    "QuickChoice": "Auto",
    "RealTimePosting": "Allow",
    "RegisterRecordsDeletion": "AutoDeleteOnUnpost",
    "RegisterRecordsWritingOnPost": "WriteSelected",
    "RegisterType": "Balance",
    "ReturnValuesReuse": "DontUse",
    "ReuseSessions": "DontUse",
    "ScriptVariant": "English",
    "SeparatedDataUse": "Independently",
    "SequenceFilling": "AutoFill",
    "SubordinationUse": "ToItems",
    "SynchronousPlatformExtensionAndAddInCallUseMode": "Use",
    "TableType": "Table",
    "TaskNumberAutoPrefix": "BusinessProcessNumber",
    "TemplateType": "SpreadsheetDocument",
    "TransferDirection": "In",
    "UsersSeparation": "Separate",
    "WriteMode": "Independent",
}
"""Scalar properties that are kept, and the value that is dropped."""

_ALSO_DEFAULT = {
    ("CodeSeries", "WholeCatalog"),
    ("CodeSeries", "WholeCharacteristicKind"),
    ("CodeSeries", "WholeChartOfAccounts"),
    ("Use", "ForItem"),
    ("QuickChoice", "false"),
    ("Shortcut", "None"),
}

LOCALIZED = {
    "BriefInformation",
    "ConfigurationInformationAddress",
    "Copyright",
    "DetailedInformation",
    "EditFormat",
    "Explanation",
    "ExtendedListPresentation",
    "ExtendedObjectPresentation",
    "ExtendedPresentation",
    "ExtendedRecordPresentation",
    "Format",
    "ListPresentation",
    "ObjectPresentation",
    "RecordPresentation",
    "ToolTip",
    "VendorInformationAddress",
}
"""Properties with a text by language: `{"ru": "…"}`, left out when empty."""

FILLED: dict[str, dict[str, Any]] = {
    "Configuration": {"ScriptVariant": "English", "DefaultRunMode": "OrdinaryApplication"},
    "CommonAttribute": {"AutoUse": "Use", "DataSeparation": "Separate"},
    "CommonModule": {"ReturnValuesReuse": "DontUse"},
    "CommonTemplate": {"TemplateType": "SpreadsheetDocument"},
    "Template": {"TemplateType": "SpreadsheetDocument"},
    "Method": {"HTTPMethod": "GET"},
    "InformationRegister": {"InformationRegisterPeriodicity": "Nonperiodical", "WriteMode": "Independent"},
    "AccumulationRegister": {"RegisterType": "Balance"},
    "CalculationRegister": {"Periodicity": "Month"},
    "Document": {"Posting": "Allow"},
    "Parameter": {"TransferDirection": "In"},
}
"""By kind: properties that a row always has, unless adopted, and the value when the source leaves them
out."""

_DEFAULT_FORMS = {
    f"{prefix}{part}Form": "DefaultForm"
    for prefix in ("Default", "Auxiliary")
    for part in (
        "",
        "Choice",
        "CollaborationSystemUsersChoice",
        "Constants",
        "DataHistoryChangeHistory",
        "DataHistoryVersionData",
        "DataHistoryVersionDifferences",
        "DynamicListSettings",
        "Folder",
        "FolderChoice",
        "List",
        "Load",
        "Object",
        "Record",
        "Report",
        "ReportSettings",
        "ReportVariant",
        "Save",
        "Search",
        "Settings",
        "Variant",
    )
}

LINKS: dict[str, str] = {
    **_DEFAULT_FORMS,
    "AccountingFlag": "AccountingFlag",
    "Addressing": "Addressing",
    "AddressingDimension": "Addressing",
    "BaseCalculationTypes": "BaseCalculationTypes",
    "BasedOn": "BasedOn",
    "CharacteristicExtValues": "CharacteristicExtValues",
    "ChartOfAccounts": "ChartOfAccounts",
    "ChartOfCalculationTypes": "ChartOfCalculationTypes",
    "ChoiceForm": "DefaultForm",
    "CommonSettingsStorage": "SettingsStorage",
    "ConditionalSeparation": "Separation",
    "CurrentPerformer": "Addressing",
    "DataSeparationUse": "Separation",
    "DataSeparationValue": "Separation",
    "DefaultLanguage": "DefaultLanguage",
    "DefaultRoles": "DefaultRole",
    "DefaultStyle": "DefaultStyle",
    "DocumentMap": "DimensionMap",
    "Documents": "SequenceDocument",
    "DynamicListsUserSettingsStorage": "SettingsStorage",
    "ExtDimensionAccountingFlag": "AccountingFlag",
    "ExtDimensionTypes": "ExtDimensionTypes",
    "FormDataSettingsStorage": "SettingsStorage",
    "Location": "FunctionalOptionLocation",
    "MainAddressingAttribute": "Addressing",
    "MainDataCompositionSchema": "MainDataCompositionSchema",
    "Numerator": "Numerator",
    "Owners": "Owner",
    "References": "JournalColumn",
    "RegisterRecordsMap": "DimensionMap",
    "RegisterRecords": "RegisterRecord",
    "RegisteredDocuments": "RegisteredDocument",
    "ReportsUserSettingsStorage": "SettingsStorage",
    "ReportsVariantsStorage": "SettingsStorage",
    "Schedule": "CalculationSchedule",
    "ScheduleDate": "CalculationSchedule",
    "ScheduleLink": "CalculationSchedule",
    "ScheduleValue": "CalculationSchedule",
    "SettingsStorage": "SettingsStorage",
    "Task": "Task",
    "VariantsStorage": "SettingsStorage",
}
"""Properties whose value is the full name of another thing, or a list of them → kind of reference, whatever
the owner's kind. Those that depend on it are in `link_kind`. The reference's detail is the property's name
where `DETAILED` says so."""

DETAILED = {"DefaultForm", "Addressing", "SettingsStorage", "Separation", "CalculationSchedule"}
"""Kinds of reference that several properties give: the detail tells which."""

_BY_OWNER = {
    ("Sequence", "RegisterRecords"): "SequenceRegister",
    ("Subsystem", "Content"): "SubsystemContent",
    ("FunctionalOption", "Content"): "FunctionalOptionContent",
    ("FunctionalOptionsParameter", "Use"): "FunctionalOptionsParameterUse",
    ("FilterCriterion", "Content"): "FilterCriterionContent",
}


def link_kind(owner_kind: str, property_name: str) -> str | None:
    """Kind of reference that a property of this kind of node gives; None when it is no link (or not a plain
    one)."""
    return _BY_OWNER.get((owner_kind, property_name)) or LINKS.get(property_name)


def keep(name: str, text: str) -> Any:
    """The value of a scalar property as it goes into `Node.properties`; None when it is not kept or is the
    default."""
    default = DEFAULTS.get(name)
    if default is None or not text or (name, text) in _ALSO_DEFAULT:
        return None
    value: Any = text
    if text == "true":
        value = True
    elif text == "false":
        value = False
    elif type(default) is int:
        try:
            value = int(text)
        except ValueError:
            return text
    return None if value == default and type(value) is type(default) else value
