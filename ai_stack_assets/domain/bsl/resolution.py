"""What call sites, references and query tables point at, by the names of one configuration. Pure and
provable: what depends on the type of a value at run time stays `unknown`.
"""

from __future__ import annotations

import re

from ai_stack_assets.domain.bsl.facts import ModuleFacts
from ai_stack_assets.domain.bsl.platform import FUNCTIONS, PROPERTIES
from ai_stack_assets.domain.bsl.platform_methods import CONTEXT_METHODS, FORM_PARTS, MANAGER_METHODS, SELF
from ai_stack_assets.domain.bsl.query_resolution import resolve_query_tables
from ai_stack_assets.domain.bsl.reference_resolution import resolve_references
from ai_stack_assets.domain.bsl.symbols import Symbols
from ai_stack_assets.domain.onec.kinds import MANAGERS

__all__ = [
    "Symbols",
    "resolve_calls",
    "resolve_query_tables",
    "resolve_references",
]

Resolution = tuple[str, str | None]
"""As `calls.resolution` and `calls.target_id`."""

UNKNOWN: Resolution = ("unknown", None)
PLATFORM: Resolution = ("platform", None)
_PER_METHOD: Resolution = ("", None)
"""Mark: depends on the calling method's own parameters and variables."""

_GETTER = re.compile(r'(?:\w+\.)?(?:общиймодуль|commonmodule)\s*\(\s*"([^"]+)"\s*\)$')
_OWN_OBJECT = frozenset(("ObjectModule", "RecordSetModule", "ValueManagerModule"))
_OWN_PARTS = ("attribute", "tabularsection", "dimension", "resource")
_MOST_REMEMBERED = 100_000
_NO_CONTEXT: frozenset[str] = frozenset()


def resolve_calls(
    module_kind: str, object_id: str, module_id: str, facts: ModuleFacts, symbols: Symbols
) -> list[Resolution]:
    """What each call site of a module resolves to, in the order of `facts.calls`.

    Time is one dictionary lookup a call: equal spellings are resolved once per module.
    """
    module = _Module(module_kind, object_id, module_id, facts, symbols)
    known: dict[tuple[str | None, str], Resolution] = {}
    in_method: dict[tuple[int, str | None, str], Resolution] = {}
    found = []
    for call in facts.calls:
        spelling = (call.receiver, call.name)
        result = known.get(spelling)
        if result is None:
            known[spelling] = result = module.resolve(*spelling)
        if result is _PER_METHOD:
            key = (call.method, *spelling)
            result = in_method.get(key)
            if result is None:
                in_method[key] = result = module.resolve_in_method(
                    call.method, call.receiver or "", call.name
                )
        found.append(result)
    return found


class _Module:
    """The names that one module adds to those of the configuration."""

    def __init__(
        self, kind: str, object_id: str, module_id: str, facts: ModuleFacts, symbols: Symbols
    ) -> None:
        self.kind, self.symbols, self.facts = kind, symbols, facts
        self.object_key = object_id.lower()
        self.own: dict[str, Resolution] = {}
        for method in facts.methods:
            # only the first of a repeated name has this id
            self.own.setdefault(method.name.lower(), ("local", f"{module_id}.{method.name}"))
        self.context = CONTEXT_METHODS.get(kind, _NO_CONTEXT)
        self.variables = {variable.name.lower() for variable in facts.variables}
        self.assigned: dict[tuple[int, str], set[str]] = {}
        for method, variable, name in ((a.method, a.variable.lower(), a.module) for a in facts.assignments):
            # a module variable keeps its value from one method to another
            place = -1 if variable in self.variables else method
            self.assigned.setdefault((place, variable), set()).add(name.lower())
        self.local_names = self.variables | {variable for _, variable in self.assigned}
        self.local_names.update(p.name.lower() for method in facts.methods for p in method.parameters)

    def resolve(self, receiver: str | None, name: str) -> Resolution:
        low = name.lower()
        if receiver is None:
            return self._bare(low)
        head = receiver.partition(".")[0].lower()
        if head in SELF and len(head) == len(receiver):
            return self._of_self(low)
        if head in self.local_names:
            return _PER_METHOD
        return self._outer(head, receiver, low)

    def resolve_in_method(self, method: int, receiver: str, name: str) -> Resolution:
        head, dot, _ = receiver.lower().partition(".")
        low = name.lower()
        modules = self.assigned.get((method, head)) or self.assigned.get((-1, head))
        if modules and not dot:
            # set from different modules in different branches: certain only when one of them has it
            known = self.symbols.common_modules
            found = {_of_common_module(self.symbols, m, low) for m in modules if m in known} - {UNKNOWN}
            return found.pop() if len(found) == 1 else UNKNOWN
        if modules or head in self.variables:
            return UNKNOWN
        if method >= 0 and any(p.name.lower() == head for p in self.facts.methods[method].parameters):
            return UNKNOWN
        return self._outer(head, receiver, low)

    def _outer(self, head: str, receiver: str, name: str) -> Resolution:
        """A receiver that is no variable or parameter: a part of the own object hides the rest."""
        if self.kind == "FormModule" and head in FORM_PARTS:
            return PLATFORM
        found = _global(self.symbols, receiver, name)
        if found is not UNKNOWN and (self.kind in _OWN_OBJECT or self.kind == "FormModule"):
            fields, own = self.symbols.fields, self.object_key
            if any(f"{own}.{part}.{head}" in fields for part in _OWN_PARTS):
                return UNKNOWN
        return found

    def _bare(self, name: str) -> Resolution:
        if found := self.own.get(name):
            return found
        if target := self.symbols.global_exports.get(name):
            return ("global_module", target)
        return PLATFORM if name in FUNCTIONS or name in self.context else UNKNOWN

    def _of_self(self, name: str) -> Resolution:
        if found := self.own.get(name):
            return ("object_module", found[1]) if self.kind in _OWN_OBJECT else found
        return PLATFORM if name in self.context else UNKNOWN


def _global(symbols: Symbols, receiver: str, name: str) -> Resolution:
    """A receiver that no local name hides: depends on the configuration alone."""
    key, memo = (receiver, name), symbols.memo
    found = memo.get(key)
    if found is None:
        if len(memo) > _MOST_REMEMBERED:
            memo.clear()
        memo[key] = found = _resolve_global(symbols, receiver.lower(), name)
    return found


def _resolve_global(symbols: Symbols, receiver: str, name: str) -> Resolution:
    head, *rest = receiver.split(".")
    if not rest and head in symbols.common_modules:
        return _of_common_module(symbols, head, name)
    if head in PROPERTIES:
        return PLATFORM
    if head in MANAGERS:
        return _of_manager(symbols, head, rest, name)
    if (getter := _GETTER.match(receiver)) and getter[1] in symbols.common_modules:
        return _of_common_module(symbols, getter[1], name)
    return UNKNOWN


def _of_common_module(symbols: Symbols, module: str, name: str) -> Resolution:
    """Without such an export it is a variable of that name, unless the module has no source to tell."""
    exports = symbols.exports[symbols.common_modules[module]]
    if target := exports.get(name):
        return ("common_module", target)
    return UNKNOWN if exports else ("common_module", None)


def _of_manager(symbols: Symbols, collection: str, rest: list[str], name: str) -> Resolution:
    """`Справочники.Метод`, `Справочники.Валюты.Метод`; deeper there are only values of the platform."""
    if len(rest) != 1:
        return UNKNOWN if "(" in "".join(rest) else PLATFORM
    manager = symbols.manager(collection, rest[0])
    if manager and (target := manager.exports.get(name)):
        return ("manager_module", target)
    if name in MANAGER_METHODS:
        return PLATFORM
    return ("manager_module", None) if manager else UNKNOWN
