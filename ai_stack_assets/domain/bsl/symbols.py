"""All names of one configuration that code, references and queries can point at. Lookups ignore case.

Gathered from the rows of all parts, sent to workers as a few joined strings, indexed there on first use.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cached_property
from typing import NamedTuple

import msgspec

from ai_stack_assets.domain.common.hashing import text_hash
from ai_stack_assets.domain.onec.kinds import MANAGERS


class Manager(NamedTuple):
    """What `Справочники.Валюты` denotes: exported methods of the manager module by name, lower case."""

    object_id: str
    exports: dict[str, str]


NO_EXPORTS: dict[str, str] = {}
_UNIT, _LINE = "\t", "\n"


class Symbols:
    """Equal sets of symbols are equal in bytes and fingerprint, whatever the order of gathering."""

    def __init__(
        self,
        objects: Iterable[str] = (),
        fields: Iterable[str] = (),
        modules: Iterable[tuple[str, str, str, bool | None]] = (),
        methods: Iterable[tuple[str, str, str, bool]] = (),
    ) -> None:
        """
        Args:
            objects: `objects.id`.
            fields: `fields.id`.
            modules: `id, kind, object_id, is_global` (the last for common modules) as in `modules`.
            methods: `id, module_id, name, is_export` as in `methods` (ids with their `~2`).
        """
        by_module: dict[str, list[str]] = {}
        for method_id, module_id, _, is_export in methods:
            mark = "+" if is_export else "-"
            by_module.setdefault(module_id, []).append(mark + method_id[len(module_id) + 1 :])
        self._objects = _LINE.join(sorted(objects))
        self._fields = _LINE.join(sorted(fields))
        self._modules = _LINE.join(
            sorted(
                _UNIT.join((i, kind, owner, "1" if is_global else ""))
                for i, kind, owner, is_global in modules
            )
        )
        self._methods = _LINE.join(sorted(_UNIT.join((m, *sorted(names))) for m, names in by_module.items()))

    def __reduce__(self) -> tuple:
        return _restore, (self._objects, self._fields, self._modules, self._methods)

    def to_bytes(self) -> bytes:
        return msgspec.msgpack.encode(self.__reduce__()[1])

    @staticmethod
    def from_bytes(data: bytes) -> Symbols:
        return _restore(*msgspec.msgpack.decode(data))

    def fingerprint(self) -> str:
        """Changes exactly when any symbol does."""
        return text_hash("\x00".join((self._objects, self._fields, self._modules, self._methods)))

    # ---- by id, whatever the case

    @cached_property
    def objects(self) -> dict[str, str]:
        return {i.lower(): i for i in self._objects.split(_LINE) if i}

    @cached_property
    def fields(self) -> dict[str, str]:
        return {i.lower(): i for i in self._fields.split(_LINE) if i}

    @cached_property
    def methods(self) -> dict[str, str]:
        ids = (f"{module}.{name[1:]}" for module, *names in self._method_lines() for name in names)
        return {i.lower(): i for i in ids}

    @cached_property
    def loose_fields(self) -> dict[str, str]:
        """Fields by their id without classes: `catalog.валюты.товары.цена`. Form items and commands are
        left out: they share their names with form attributes."""
        found: dict[str, str] = {}
        for low, field_id in self.fields.items():
            parts = low.split(".")
            if not _HIDDEN.isdisjoint(parts[2::2]):
                continue
            found.setdefault(loose_key(parts), field_id)
        return found

    # ---- what code can call

    @cached_property
    def exports(self) -> dict[str, dict[str, str]]:
        """Module id → exported methods: name in lower case → id."""
        return {
            module: {name[1:].lower(): f"{module}.{name[1:]}" for name in names if name[0] == "+"}
            for module, *names in self._method_lines()
        }

    @cached_property
    def common_modules(self) -> dict[str, dict[str, str]]:
        """Name in lower case → exports."""
        return {
            object_id.partition(".")[2].lower(): self.exports.get(module_id, NO_EXPORTS)
            for module_id, kind, object_id, _ in self._module_lines()
            if kind == "CommonModule"
        }

    @cached_property
    def global_exports(self) -> dict[str, str]:
        """Exports of global common modules: called without a receiver."""
        found: dict[str, str] = {}
        for module_id, kind, _, is_global in self._module_lines():
            if kind == "CommonModule" and is_global:
                found |= self.exports.get(module_id, NO_EXPORTS)
        return found

    def manager(self, collection: str, name: str) -> Manager | None:
        """`("справочники", "валюты")`, both in lower case."""
        kind = MANAGERS.get(collection)
        object_id = self.objects.get(f"{kind.name.lower()}.{name}") if kind else None
        if object_id is None:
            return None
        return Manager(object_id, self.exports.get(f"{object_id}.ManagerModule", NO_EXPORTS))

    @cached_property
    def memo(self) -> dict:
        """Results that depend on the symbols alone; lives as long as they do."""
        return {}

    def _method_lines(self) -> list[list[str]]:
        return [line.split(_UNIT) for line in self._methods.split(_LINE) if line]

    def _module_lines(self) -> list[list[str]]:
        return [line.split(_UNIT) for line in self._modules.split(_LINE) if line]


_HIDDEN = frozenset(("item", "command"))


def loose_key(parts: list[str]) -> str:
    """`[catalog, валюты, attribute, код]` → `catalog.валюты.код`."""
    return ".".join([parts[0], *parts[1::2]])


def _restore(*texts: str) -> Symbols:
    symbols = Symbols.__new__(Symbols)
    symbols._objects, symbols._fields, symbols._modules, symbols._methods = texts
    return symbols
