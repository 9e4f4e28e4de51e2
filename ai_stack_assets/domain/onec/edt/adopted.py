"""What an adopted object of an EDT extension says for itself. In a Designer dump nothing else is written."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ai_stack_assets.domain.onec.edt.values import PROPERTY
from ai_stack_assets.domain.onec.model import Node
from ai_stack_assets.domain.onec.xml import LOCAL

if TYPE_CHECKING:
    from lxml.etree import _Element as Element

_IDENTIFYING = {"Balance", "Namespace", "Type"}
_EXTENSION_OWN = {
    "BriefInformation",
    "ConfigurationExtensionCompatibilityMode",
    "ConfigurationExtensionPurpose",
    "Copyright",
    "DefaultRunMode",
    "DetailedInformation",
    "KeepMappingToExtendedConfigurationObjectsByIDs",
    "NamePrefix",
    "ScriptVariant",
    "UsePurposes",
    "Vendor",
    "Version",
}
"""Properties of an adopted object, or of the extension itself, that are its own in any case."""


def keep_controlled(node: Node, element: Element) -> None:
    """Drop what an adopted object merely inherits.

    EDT repeats defaults there; the Designer writes only what the extension checks or changes, which EDT names
    in `<extension>`.
    """
    controlled = {
        PROPERTY[LOCAL[part.tag]]
        for extension in element
        if LOCAL[extension.tag] == "extension"
        for part in extension
    }
    controlled |= _EXTENSION_OWN if node.kind == "Configuration" else _IDENTIFYING
    node.properties = {name: value for name, value in node.properties.items() if name in controlled}
