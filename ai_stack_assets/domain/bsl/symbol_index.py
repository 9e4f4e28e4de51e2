"""The file of symbols: lines of text, and for each way to ask for one a sorted index of hashes into them.

It is looked things up in as it lies, in memory or mapped: the processes of one machine share its pages. No meaning here but
what a key is made of.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, BinaryIO, NamedTuple

import msgspec
import xxhash

if TYPE_CHECKING:
    import numpy as np

_MAGIC = b"symbols/2\n"
_UNIT, _TAB, _LINE = "\t", b"\t", b"\n"
_HIDDEN = frozenset(("item", "command"))
EXACT = "modules"


def _hash(key: str) -> int:
    return xxhash.xxh3_64_intdigest(key.encode("utf-8", "surrogatepass"))


def loose_key(parts: list[str]) -> str:
    """`[catalog, валюты, attribute, код]` → `catalog.валюты.код`."""
    return ".".join([parts[0], *parts[1::2]])


def _loose(found: str) -> str | None:
    parts = found.lower().split(".")
    return loose_key(parts) if _HIDDEN.isdisjoint(parts[2::2]) else None


_KEYS: dict[str, Callable[[str], str | None]] = {
    "objects": str.lower,
    "fields": str.lower,
    "loose": _loose,
    "methods": str.lower,
    EXACT: str,
}
"""Index → the key of an id."""
_FIRST = "loose"
"""The index that gives the first of several with one key; all others give the last."""


class _Footer(msgspec.Struct, array_like=True):
    text: int
    """Where the texts end."""
    chunks: list[tuple[int, int, int]]
    """Bytes of objects, fields and methods of each part: they lie one behind the other, each line with its end."""
    modules: bytes
    sizes: dict[str, tuple[int, int]]
    """Index → keys, and bits of a hash that `starts` is for."""


class Part(NamedTuple):
    """Of one file: texts, and hashes with places by index. A place is `line << 32 | offset of the name in it`, from the
    beginning of the texts, in bytes."""

    text: Any
    chunks: list[tuple[int, int, int]]
    modules: bytes
    indices: dict[str, tuple[np.ndarray, np.ndarray]]

    @staticmethod
    def of(objects: list[str], fields: list[str], modules: list[str], methods: list[str]) -> Part:
        import numpy as np

        texts = ["".join(f"{line}\n" for line in lines).encode() for lines in (objects, fields, methods)]
        sizes = len(texts[0]), len(texts[1]), len(texts[2])
        found: dict[str, tuple[list[int], list[int]]] = {index: ([], []) for index in _KEYS}
        _add(found["objects"], "objects", objects, 0)
        _add(found["fields"], "fields", fields, sizes[0])
        _add(found["loose"], "loose", fields, sizes[0])
        _add_methods(found, methods, sizes[0] + sizes[1])
        indices = {
            index: (np.array(hashes, np.uint64), np.array(places, np.uint64))
            for index, (hashes, places) in found.items()
        }
        return Part(b"".join(texts), [sizes], "".join(f"{m}\n" for m in modules).encode(), indices)


def _add(into: tuple[list[int], list[int]], index: str, lines: list[str], place: int) -> None:
    key_of, (hashes, places) = _KEYS[index], into
    for line in lines:
        if (key := key_of(line)) is not None:
            hashes.append(_hash(key))
            places.append(place << 32)
        place += len(line.encode()) + 1


def _add_methods(into: dict[str, tuple[list[int], list[int]]], lines: list[str], place: int) -> None:
    for line in lines:
        module, *names = line.split(_UNIT)
        into[EXACT][0].append(_hash(module))
        into[EXACT][1].append(place << 32)
        offset = len(module.encode()) + 1
        for name in names:
            into["methods"][0].append(_hash(f"{module}.{name[1:]}".lower()))
            into["methods"][1].append(place << 32 | offset)
            offset += len(name.encode()) + 1
        place += len(line.encode()) + 1


def write(parts: Iterable[Part], into: BinaryIO) -> None:
    """All parts as one file, in their order. Memory: the indices of all and one part."""
    import numpy as np

    into.write(_MAGIC)
    base, chunks, modules = 0, [], []
    indices: dict[str, list[tuple[np.ndarray, np.ndarray]]] = {index: [] for index in _KEYS}
    for part in parts:
        into.write(part.text)
        chunks += part.chunks
        modules.append(part.modules)
        for index, (hashes, places) in part.indices.items():
            indices[index].append((hashes.copy(), places + np.uint64(base << 32)))
        base += len(part.text)
    sizes = {index: _write_index(found, into) for index, found in indices.items()}
    footer = msgspec.msgpack.encode(_Footer(base, chunks, b"".join(modules), sizes))
    into.write(footer)
    into.write(len(footer).to_bytes(8, "little"))


def _write_index(found: list[tuple[np.ndarray, np.ndarray]], into: BinaryIO) -> tuple[int, int]:
    import numpy as np

    if not found:
        return 0, 0
    hashes, places = (np.concatenate(column) for column in zip(*found, strict=True))
    order = np.argsort(hashes, kind="stable")
    hashes, places = hashes[order], places[order]
    bits = max(1, len(hashes).bit_length())
    prefixes = np.arange(2**bits, dtype=np.uint64) << np.uint64(64 - bits)
    starts = np.append(np.searchsorted(hashes, prefixes), len(hashes)).astype(np.uint32)
    for column in (hashes, places, starts):
        into.write(column.tobytes())
    return len(hashes), bits


@dataclass
class Ids:
    """Ids of the file by key, through one of its indices."""

    data: Any
    key_of: Callable[[str], str | None]
    bits: int
    hashes: memoryview
    places: memoryview
    starts: memoryview
    step: int
    """1: the first of several with one key; -1: the last."""

    def get(self, key: str) -> str | None:
        place = self._place(key)
        return None if place is None else self._at(place)

    def __contains__(self, key: str) -> bool:
        return self._place(key) is not None

    def line(self, key: str) -> str | None:
        """The whole line of it."""
        place = self._place(key)
        return None if place is None else self._line(place)

    def _place(self, key: str) -> int | None:
        if not self.bits:
            return None
        wanted = _hash(key)
        slot = wanted >> 64 - self.bits
        for number in range(self.starts[slot], self.starts[slot + 1])[:: self.step]:
            if self.hashes[number] == wanted:
                place = self.places[number]
                if self.key_of(self._at(place)) == key:
                    return place
        return None

    def _line(self, place: int) -> str:
        start = len(_MAGIC) + (place >> 32)
        return self.data[start : self.data.find(_LINE, start)].decode()

    def _at(self, place: int) -> str:
        start = len(_MAGIC) + (place >> 32)
        found = self._word(start)
        if offset := place & 0xFFFFFFFF:
            found = f"{found}.{self._word(start + offset + 1)}"
        return found

    def _word(self, start: int) -> str:
        """Up to the end of the line, or a tab in it."""
        end = self.data.find(_LINE, start)
        tab = self.data.find(_TAB, start, end)
        return self.data[start : end if tab < 0 else tab].decode()


@dataclass
class SymbolFile:
    data: Any
    footer: _Footer

    def ids(self, index: str) -> Ids:
        arrays, (_, bits) = dict(self._arrays())[index], self.footer.sizes[index]
        return Ids(self.data, _KEYS[index], bits, *arrays, 1 if index == _FIRST else -1)

    def modules(self) -> str:
        return self.footer.modules.decode()

    def texts(self) -> list[str]:
        """Of objects, fields, modules and methods."""
        objects, fields, methods = [], [], []
        at = len(_MAGIC)
        for sizes in self.footer.chunks:
            for texts, size in zip((objects, fields, methods), sizes, strict=True):
                texts.append(self.data[at : at + size].decode())
                at += size
        return ["".join(objects), "".join(fields), self.modules(), "".join(methods)]

    def part(self) -> Part:
        """To be written with others."""
        import numpy as np

        begin = len(_MAGIC)
        indices = {
            index: (np.frombuffer(hashes, np.uint64), np.frombuffer(places, np.uint64))
            for index, (hashes, places, _) in self._arrays()
        }
        return Part(
            self.data[begin : begin + self.footer.text], self.footer.chunks, self.footer.modules, indices
        )

    def _arrays(self) -> Iterator[tuple[str, tuple[memoryview, memoryview, memoryview]]]:
        at, view = len(_MAGIC) + self.footer.text, memoryview(self.data)
        for index, (size, bits) in self.footer.sizes.items():
            ends = [at + size * 8, at + size * 16]
            last = ends[1] + (2**bits + 1) * 4 if bits else ends[1]
            yield (
                index,
                (
                    view[at : ends[0]].cast("Q"),
                    view[ends[0] : ends[1]].cast("Q"),
                    view[ends[1] : last].cast("I"),
                ),
            )
            at = last


def opened(data: Any) -> SymbolFile:
    """Raises msgspec.ValidationError when it is something else."""
    if data[: len(_MAGIC)] != _MAGIC:
        raise msgspec.ValidationError("no file of symbols")
    size = int.from_bytes(data[-8:], "little")
    return SymbolFile(data, msgspec.msgpack.decode(data[-8 - size : -8], type=_Footer))
