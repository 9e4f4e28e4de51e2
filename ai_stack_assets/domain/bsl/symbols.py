"""All names of one configuration that code, references and queries can point at. Lookups ignore case.

Each part's are made in its worker, with their indices; those of the whole configuration are these put together in one
file, which all workers map (`symbol_index`): a million form items cost no process its own copy.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cached_property
from io import BytesIO
from typing import Any, BinaryIO, NamedTuple

import xxhash

from ai_stack_assets.domain.bsl.symbol_index import EXACT, Ids, Part, loose_key, opened, write
from ai_stack_assets.domain.onec.kinds import MANAGERS

__all__ = ["Manager", "Symbols", "loose_key"]


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
        lines = [
            _UNIT.join((i, kind, owner, "1" if is_global else "")) for i, kind, owner, is_global in modules
        ]
        named = [_UNIT.join((module, *sorted(names))) for module, names in by_module.items()]
        part = Part.of(sorted(objects), sorted(fields), sorted(lines), sorted(named))
        written = BytesIO()
        write([part], written)
        self._open(written.getvalue())

    def __reduce__(self) -> tuple:
        return Symbols.from_bytes, (self.to_bytes(),)

    def to_bytes(self) -> bytes:
        return bytes(self._data)

    @staticmethod
    def from_bytes(data: Any) -> Symbols:
        """Of bytes, or of a file that is mapped: it is read where somebody looks.

        Raises msgspec.ValidationError when it is something else."""
        symbols = Symbols.__new__(Symbols)
        symbols._open(data)
        return symbols

    @staticmethod
    def join(many: Iterable[bytes], into: BinaryIO) -> None:
        """Write all of them as one; they have no module in common."""
        write((opened(data).part() for data in many), into)

    @staticmethod
    def joined(many: Iterable[bytes]) -> bytes:
        written = BytesIO()
        Symbols.join(many, written)
        return written.getvalue()

    def _open(self, data: Any) -> None:
        self._data = data
        self._file = opened(data)

    def lines(self) -> list[set[str]]:
        """Of objects, fields, modules and methods: equal lines are equal symbols. The id stands before the first tab; a
        module's methods follow it, each with its mark."""
        return [set(filter(None, text.split(_LINE))) for text in self._file.texts()]

    def fingerprint(self) -> str:
        """Changes exactly when any symbol does."""
        return xxhash.xxh3_128_hexdigest(self._data)

    # ---- by id, whatever the case

    @cached_property
    def objects(self) -> Ids:
        return self._file.ids("objects")

    @cached_property
    def fields(self) -> Ids:
        return self._file.ids("fields")

    @cached_property
    def methods(self) -> Ids:
        return self._file.ids("methods")

    @cached_property
    def loose_fields(self) -> Ids:
        """Fields by their id without classes: `catalog.валюты.товары.цена`. Form items and commands are
        left out: they share their names with form attributes."""
        return self._file.ids("loose")

    # ---- what code can call

    @cached_property
    def exports(self) -> Exports:
        return Exports(self._file.ids(EXACT))

    @cached_property
    def common_modules(self) -> dict[str, str]:
        """Name in lower case → id of the module, for `exports`."""
        return {
            object_id.partition(".")[2].lower(): module_id
            for module_id, kind, object_id, _ in self._modules()
            if kind == "CommonModule"
        }

    @cached_property
    def global_exports(self) -> dict[str, str]:
        """Exports of global common modules: called without a receiver."""
        found: dict[str, str] = {}
        for module_id, kind, _, is_global in self._modules():
            if kind == "CommonModule" and is_global:
                found |= self.exports[module_id]
        return found

    def manager(self, collection: str, name: str) -> Manager | None:
        """`("справочники", "валюты")`, both in lower case."""
        kind = MANAGERS.get(collection)
        object_id = self.objects.get(f"{kind.name.lower()}.{name}") if kind else None
        if object_id is None:
            return None
        return Manager(object_id, self.exports[f"{object_id}.ManagerModule"])

    @cached_property
    def memo(self) -> dict:
        """Results that depend on the symbols alone; lives as long as they do."""
        return {}

    def _modules(self) -> list[list[str]]:
        return [line.split(_UNIT) for line in self._file.modules().split(_LINE) if line]


class Exports(dict[str, dict[str, str]]):
    """Module id → exported methods: name in lower case → id. Those of a module are made when it is first called."""

    def __init__(self, modules: Ids) -> None:
        super().__init__()
        self._modules = modules

    def __missing__(self, module: str) -> dict[str, str]:
        _, *names = (self._modules.line(module) or module).split(_UNIT)
        found = {name[1:].lower(): f"{module}.{name[1:]}" for name in names if name[0] == "+"}
        self[module] = found = found or NO_EXPORTS
        return found
