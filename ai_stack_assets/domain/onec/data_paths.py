"""What a data path of a form leads to: `Объект.Валюта` → `Catalog.Заказы.*.Валюта`. The same in both layouts.

A path starts at a form attribute. When the attribute's value is an object of the configuration, the rest of
the path leaves the form; `*` stands for the part's class, which only the whole configuration knows."""

from __future__ import annotations

from ai_stack_assets.domain.onec.model import Node
from ai_stack_assets.domain.onec.types import type_targets

_CONSTANTS = '[{"type":"ConstantsSet"}]'


class DataPaths:
    """The data paths of one form.

    Args:
        attributes: the form's attributes, with their columns as children and a `MainTable` link when they
            are dynamic lists.
        item_paths: data path of each form item by its name, for paths like `Items.Товары.CurrentData.Цена`.
    """

    def __init__(self, attributes: list[Node], item_paths: dict[str, str]) -> None:
        self._attributes = {attribute.name: attribute for attribute in attributes}
        self._item_paths = item_paths

    def target(self, data_path: str) -> str | None:
        """Target of the `DataPath` link; None when the path starts at nothing that is known."""
        names = [name.lstrip("~") for name in data_path.split(".")]
        if names[0] == "Items" and len(names) > 2:
            start = self._item_paths.get(names[1], "")
            names = [name.lstrip("~") for name in start.split(".")] + names[3:]
        attribute = self._attributes.get(names[0])
        if attribute is None:
            return None
        here = f"@.Attribute.{attribute.name}"
        if len(names) == 1:
            return here
        for column in attribute.children:
            own = [*column.properties.get("Table", names[0]).split("."), column.name]
            if own == names[: len(own)]:
                return f"{here}.Column.{column_path(column)}"
        return _outside(attribute, names[1:]) or here


def column_path(column: Node) -> str:
    """The column's part of its id: columns added to a tabular section are named with it."""
    section = column.properties.get("Table", "").partition(".")[2]
    return f"{section}.{column.name}" if section else column.name


def _outside(attribute: Node, names: list[str]) -> str | None:
    if attribute.types == _CONSTANTS:
        return ".*.".join([f"Constant.{names[0]}", *names[1:]])
    main_table = next((link.target for link in attribute.links if link.kind == "MainTable"), None)
    targets = (main_table,) if main_table else type_targets(attribute.types)
    return ".*.".join([targets[0], *names]) if len(targets) == 1 else None
