"""All names of one configuration that code, references and queries can point at. Lookups ignore case.

Gathered from the rows of all parts, sent to workers as a few joined strings, indexed there on first use.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
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
_Encoded = tuple[bytes, bytes, bytes, bytes]


class Ids:
    """Ids, one a line of a text, by their lower-case form.

    A million form items must fit into every process that links: so no id is kept apart from the text, only its place by
    the hash of its key. A quarter of the memory of a dictionary of texts.
    """

    def __init__(self, text: str) -> None:
        self._text = text
        self._places: dict[int, int] = {}
        self._fill()

    def get(self, key: str) -> str | None:
        place = self._places.get(hash(key))
        if place is None:
            return None
        found = self._at(place)
        return found if self._key(found) == key else None

    def __contains__(self, key: str) -> bool:
        return self.get(key) is not None

    def _fill(self) -> None:
        for start, line in _lines(self._text):
            self._places[hash(line.lower())] = start

    def _at(self, place: int) -> str:
        return self._text[place : _end(self._text, place)]

    def _key(self, found: str) -> str | None:
        return found.lower()


class LooseIds(Ids):
    """By `loose_key`; the first of several."""

    def _fill(self) -> None:
        for start, line in _lines(self._text):
            if (key := self._key(line)) is not None:
                self._places.setdefault(hash(key), start)

    def _key(self, found: str) -> str | None:
        parts = found.lower().split(".")
        return loose_key(parts) if _HIDDEN.isdisjoint(parts[2::2]) else None


class MethodIds(Ids):
    """Of lines with a module and the names of its methods: a place is that of the line and of the name in it."""

    def _fill(self) -> None:
        for start, line in _lines(self._text):
            module, *names = line.split(_UNIT)
            place = len(module) + 1
            for name in names:
                self._places[hash(f"{module}.{name[1:]}".lower())] = start << 32 | place
                place += len(name) + 1

    def _at(self, place: int) -> str:
        start, offset = place >> 32, place & 0xFFFFFFFF
        line = self._text[start : _end(self._text, start)]
        return f"{line.partition(_UNIT)[0]}.{line[offset + 1 :].partition(_UNIT)[0]}"


def _lines(text: str) -> Iterator[tuple[int, str]]:
    start = 0
    while start < len(text):
        end = _end(text, start)
        yield start, text[start:end]
        start = end + 1


def _end(text: str, start: int) -> int:
    end = text.find(_LINE, start)
    return len(text) if end < 0 else end


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
        return msgspec.msgpack.encode([text.encode() for text in self.__reduce__()[1]])

    @staticmethod
    def from_bytes(data: bytes) -> Symbols:
        """Raises msgspec.ValidationError when it is something else."""
        return _restore(*(text.decode() for text in msgspec.msgpack.decode(data, type=_Encoded)))

    @staticmethod
    def joined(many: Iterable[bytes]) -> bytes:
        """The bytes of all of them together; they have no module in common."""
        parts = [msgspec.msgpack.decode(data, type=_Encoded) for data in many]
        texts = [b"\n".join(filter(None, column)) for column in zip(*parts, strict=True)]
        return msgspec.msgpack.encode(texts or [b""] * 4)

    def lines(self) -> list[set[str]]:
        """Of objects, fields, modules and methods: equal lines are equal symbols. The id stands before the first tab; a
        module's methods follow it, each with its mark."""
        return [set(filter(None, text.split(_LINE))) for text in self.__reduce__()[1]]

    def fingerprint(self) -> str:
        """Changes exactly when any symbol does."""
        return text_hash("\x00".join((self._objects, self._fields, self._modules, self._methods)))

    # ---- by id, whatever the case

    @cached_property
    def objects(self) -> Ids:
        return Ids(self._objects)

    @cached_property
    def fields(self) -> Ids:
        return Ids(self._fields)

    @cached_property
    def methods(self) -> MethodIds:
        return MethodIds(self._methods)

    @cached_property
    def loose_fields(self) -> LooseIds:
        """Fields by their id without classes: `catalog.валюты.товары.цена`. Form items and commands are
        left out: they share their names with form attributes."""
        return LooseIds(self._fields)

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
