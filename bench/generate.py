"""Writes a configuration of any size with the shape of a real one, by multiplying the sample: every object many times under
other names, modules, forms, roles and schemas grown to real sizes. Equal arguments give equal bytes; memory is one copy.

    python -m bench.generate FOLDER --modules 16600

How often what occurs per MB was measured on a public configuration of 2,184 modules; `bench.scale` prints both. References
inside a copy stay inside it or go to another copy that exists, so all counts grow in proportion.
"""

from __future__ import annotations

import argparse
import re
import shutil
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from random import Random
from typing import NamedTuple

SAMPLE = Path(__file__).parents[1] / "samples" / "demo" / "designer"
KEPT = ("Configuration.xml", "Ext", "Languages")
"""Once per configuration: its own file, its own modules, its language."""

MODULE_BYTES = 36_700
"""Mean: 16,600 modules of the full ERP have 610 MB. The median is a fifth of it."""
LARGEST_MODULE = 25  # times the mean
FORM_BYTES, RIGHTS_BYTES, SCHEMA_BYTES = 205_000, 440_000, 160_000
"""Means. With OBJECT_TIMES, 47,400 XML files have 1.4 GB."""
OBJECT_TIMES = 5
"""Copies of each attribute, dimension… within its object."""
SIZES = (0.15, 0.3, 0.5, 0.8, 1.35, 2.9)
"""Of forms, roles and schemas, in means; equally often."""
MOST_COPIES = 5_000
OTHER_COPY = 0.3
"""Share of names in code that lead out of their copy."""
QUERIES = 0.055
"""Share of added methods that hold a query."""
LOCAL_CALLS = 0.5
"""Calls of the module's own methods, for each body of the sample that a method is made of."""

_METHOD = re.compile(
    r"(?ims)^(?P<head>(?:[ \t]*//[^\n]*\n|[ \t]*&[^\n]*\n)*[ \t]*(?:Асинх[ \t]+)?(?:Процедура|Функция)[ \t]+)"
    r"(?P<name>\w+)(?P<rest>\([^)]*\)[^\n]*\n)(?P<body>.*?)(?P<end>^[ \t]*Конец(?:Процедуры|Функции)[^\n]*\n)"
)
_ASSIGNED = re.compile(r"(?m)^[ \t]*([А-ЯЁ]\w+)[ \t]*=")
_QUERY = re.compile(r"(?i)\bвыбрать\b")
_REPEATED = r"(?ms)^\t\t\t<(Attribute|Dimension|Resource|EnumValue) uuid=.*?^\t\t\t</\1>\n|^\t<(Item) id=.*?^\t</Item>\n"
_UUID = 'uuid="'
_TITLES = "".join(
    f"<v8:item><v8:lang>{language}</v8:lang><v8:content>{text}</v8:content></v8:item>\n"
    for language, text in (
        ("ru", "Чем пользователю поможет это поле, в одной фразе"),
        ("en", "What the field is for"),
    )
    * 2
)
_MENU = f"\\1><Title>\n{_TITLES}</Title></ContextMenu>"
_LOCAL, _OFFSET = "\x01", "\x02"
_SYLLABLES = [a + b for a in "бвгджзклмнпрстфхцчш" for b in "аеиоую"]

Render = Callable[[str], str]


class Method(NamedTuple):
    """A method of the sample, to be had under many names."""

    head: str
    name: str
    rest: str
    end: str


@cache
def word(number: int) -> str:
    """Another made-up word for each number: `Бавака`. No two of them, nor a name with one, are equal."""
    number, last = divmod(number, len(_SYLLABLES))
    rest, middle = divmod(number, len(_SYLLABLES))
    return f"{_SYLLABLES[rest % len(_SYLLABLES)]}{_SYLLABLES[middle]}{_SYLLABLES[last]}".capitalize()


class Sample:
    """The sample cut at the names that change from copy to copy: text, name, text, name…"""

    def __init__(self) -> None:
        files = [file for file in sorted(SAMPLE.rglob("*")) if file.is_file()]
        self.once = [file for file in files if file.relative_to(SAMPLE).parts[0] in KEPT]
        self.copied = [file for file in files if file not in self.once]
        tops = {file.relative_to(SAMPLE).parts[1].removesuffix(".xml") for file in self.copied}
        self.names = sorted(tops, key=len, reverse=True)
        names = "|".join(map(re.escape, self.names))
        self._cut = re.compile(
            rf'(?<![\w])((?:{names})(?:{_OFFSET}\d+)?(?![\w])|uuid="[0-9a-f]{{8}}|{_LOCAL}\w+)'
        )
        texts = {f: f.read_text("utf-8-sig") for f in self.copied if f.suffix in (".bsl", ".xml")}
        self.plain = {file: self.cut(text) for file, text in texts.items()}
        self.grown = {
            file: [self.cut(_grown(file, text, times)) for times in SIZES]
            for file, text in texts.items()
            if file.suffix == ".xml"
        }
        modules = {f: list(_METHOD.finditer(t)) for f, t in texts.items() if f.suffix == ".bsl"}
        self.methods = {
            file: [Method(m["head"], m["name"], m["rest"], m["end"]) for m in found]
            for file, found in modules.items()
        }
        bodies = [m["body"] for found in modules.values() for m in found if m["body"].strip()]
        self.bodies = [self.cut(_marked(body)) for body in bodies if not _QUERY.search(body)]
        self.queries = [self.cut(_marked(body)) for body in bodies if _QUERY.search(body)]

    def cut(self, text: str) -> list[str]:
        return self._cut.split(text)


def _marked(body: str) -> str:
    """Own variables marked, so that each copy of the body has others."""
    variables = sorted(set(_ASSIGNED.findall(body)), key=len, reverse=True)
    return re.sub(rf"(?<![.\w])({'|'.join(variables)})\b", rf"{_LOCAL}\1", body) if variables else body


def _grown(file: Path, text: str, times: float) -> str:
    """The XML file at the size that such files have in a real configuration."""
    if file.name == "Form.xml" and file.parent.name == "Ext":
        return _form(text, FORM_BYTES * times)
    if file.name == "Rights.xml":
        return _with_rights(text, RIGHTS_BYTES * times)
    if file.name == "Template.xml":
        return _schema(text, SCHEMA_BYTES * times)
    copies = range(1, max(1, round(OBJECT_TIMES * times)) + 1)
    return re.sub(_REPEATED, lambda m: m[0] + "".join(_renamed(m[0], number) for number in copies), text)


def _form(text: str, size: float) -> str:
    """Attributes, commands, then items, each with a long title, as most of a form's text is."""
    text = re.sub(r'(<ContextMenu name=("\w+)(" id="\d+)")/>', _MENU, text)
    for part, share in (("Attributes", 0.16), ("Commands", 0.1), ("ChildItems", 0.74)):
        text = _repeated(text, rf"(?ms)^\t<{part}>\n(.*?)^\t</{part}>\n", size * share)
    return text


def _schema(text: str, size: float) -> str:
    """More fields, then settings, which are most of a schema's text."""
    text = _repeated(text, r"(?ms)((?:^\t\t<field .*?^\t\t</field>\n)+)", size * 0.16)
    setting = "\t\t<dcsset:item><dcscor:parameter>{0}</dcscor:parameter><dcscor:value>{0}</dcscor:value></dcsset:item>\n"
    settings = "".join(setting.format(word(number)) for number in range(int(size * 0.84 / len(setting))))
    prefix = "http://v8.1c.ru/8.1/data-composition-system"
    variant = f'\t<settingsVariant xmlns:dcsset="{prefix}/settings" xmlns:dcscor="{prefix}/core">\n{settings}'
    end = "</DataCompositionSchema>"
    return text.replace(end, f"{variant}\t</settingsVariant>\n{end}")


def _repeated(text: str, part: str, size: float) -> str:
    """The first such part again and again under other names, so many bytes of it."""
    found = re.search(part, text)
    if not found:
        return text
    more = "".join(
        _renamed(found[1], number) for number in range(1, round(size / len(found[1].encode())) + 1)
    )
    return text[: found.end(1)] + more + text[found.end(1) :]


def _renamed(part: str, number: int) -> str:
    part = re.sub(r"<(QueryText|MainTable)>.*?</\1>", "", part, flags=re.DOTALL)
    part = re.sub(r'( name="|<Name>|<dataPath>)([^"<]+)', rf"\g<1>\g<2>{word(number + MOST_COPIES)}", part)
    part = re.sub(r' id="(\d+)"', lambda m: f' id="{int(m[1]) + 1000 * number}"', part)
    return re.sub(r'((?:uuid|<Item id)="[0-9a-f]{8})-[0-9a-f]{4}', rf"\g<1>-{number:04x}", part)


def _with_rights(text: str, size: float) -> str:
    """Rights to the same objects of other copies, then templates of restrictions: most of what roles are."""
    objects = "".join(re.findall(r"(?ms)^\t<object>\n\t*<name>(?!Configuration).*?^\t</object>\n", text))
    name = r"(<name>\w+\.)(\w+)"
    more = "".join(re.sub(name, rf"\g<1>\g<2>{_OFFSET}{number}", objects) for number in range(1, 16))
    line = (
        "ТекущаяТаблица ГДЕ ТекущаяТаблица.{0} В (ВЫБРАТЬ Таблица.{0} ИЗ РегистрСведений.{1} КАК Таблица)\n"
    )
    rest = range(int((size - len((text + more).encode())) / 170))
    condition = "".join(line.format(word(number), word(number + 7)) for number in rest)
    template = f"\t<restrictionTemplate>\n\t\t<name>ПоЗначениям(Поле)</name>\n\t\t<condition>{condition}</condition>\n"
    return text.replace("</Rights>", f"{more}{template}\t</restrictionTemplate>\n</Rights>")


class Copy:
    """One copy of the sample, file by file."""

    def __init__(self, sample: Sample, number: int, copies: int, seed: int) -> None:
        self.sample, self.number, self.copies = sample, number, copies
        self.random = Random(f"{seed}/{number}")
        self._inside = {name: f"{name}{word(number)}" for name in sample.names}

    def files(self) -> Iterator[tuple[str, bytes]]:
        for file in self.sample.copied:
            place = self._text(self.sample.cut(file.relative_to(SAMPLE).as_posix()), self._name)
            if file.suffix == ".bsl":
                yield place, self._module(file).encode("utf-8-sig")
            elif file.suffix == ".xml":
                parts = self.random.choice(self.sample.grown[file])
                yield place, self._text(parts, self._name).encode("utf-8-sig")
            else:
                yield place, file.read_bytes()

    def _module(self, file: Path) -> str:
        """The sample's own text, then methods until the module has its size."""
        # of the mean: log-normal, which real modules follow well, cut at the end
        share = min(self.random.lognormvariate(-1.28, 1.7), LARGEST_MODULE)
        pieces = [self._text(self.sample.plain[file], self._name)]
        names: list[str] = []
        left = share * MODULE_BYTES * 0.91 - len(pieces[0].encode())
        while left > 0 and self.sample.methods[file]:
            method = self.random.choice(self.sample.methods[file])
            names.append(f"{method.name}{word(len(names))}")
            pieces.append(self._method(method, names))
            left -= len(pieces[-1].encode())
        return "\n".join(pieces)

    def _method(self, method: Method, names: list[str]) -> str:
        """The last one of the module's names so far, by which its methods call each other."""
        random = self.random
        pools = [self.sample.bodies] * (1 + int(random.lognormvariate(0.25, 1.0)))
        if random.random() < QUERIES:
            pools[0] = self.sample.queries
        head = self._text(self.sample.cut(method.head), self._name)
        bodies = [self._body(random.choice(pool)) for pool in pools]
        bodies += [f"\t{random.choice(names)}();\n" for _ in pools if random.random() < LOCAL_CALLS]
        return f"// {self._said(12)}\n{head}{names[-1]}{method.rest}{''.join(bodies)}{method.end}"

    def _said(self, words: int) -> str:
        return " ".join(word(self.random.randrange(3000)).lower() for _ in range(words))

    def _body(self, parts: list[str]) -> str:
        random = self.random
        ending = word(random.randrange(3000))

        def named(name: str) -> str:
            if name[0] == _LOCAL:
                return name[1:] + ending
            return (
                f"{name}{word(random.randrange(self.copies))}"
                if random.random() < OTHER_COPY
                else self._name(name)
            )

        return f"\t// {self._said(random.randrange(6, 27))}\n{self._text(parts, named)}"

    def _name(self, name: str) -> str:
        if name.startswith(_UUID):
            return f"{_UUID}{self.number:08x}"
        if _OFFSET in name:
            name, offset = name.split(_OFFSET)
            return f"{name}{word((self.number + int(offset)) % self.copies)}"
        return self._inside[name]

    @staticmethod
    def _text(parts: list[str], named: Render) -> str:
        whole = parts.copy()
        whole[1::2] = [named(name) for name in parts[1::2]]
        return "".join(whole)


def generate(folder: Path, modules: int, seed: int = 0) -> None:
    """Args: folder: made anew. modules: at least so many."""
    shutil.rmtree(folder, ignore_errors=True)
    sample = Sample()
    copies = -(-modules // len(sample.methods))
    for file in sample.once:
        if file.name != "Configuration.xml":
            _write(folder / file.relative_to(SAMPLE), file.read_bytes())
    for number in range(copies):
        for place, data in Copy(sample, number, copies, seed).files():
            _write(folder / place, data)
    _write(folder / "Configuration.xml", _configuration(copies, sample.names))


def _configuration(copies: int, names: list[str]) -> bytes:
    """The sample's Configuration.xml with its list of children multiplied, languages excepted."""
    text = (SAMPLE / "Configuration.xml").read_text("utf-8-sig")
    known = set(names)

    def entries(found: re.Match[str]) -> str:
        if found[2] not in known:
            return found[0]
        return "".join(f"<{found[1]}>{found[2]}{word(n)}</{found[1]}>\n\t\t\t" for n in range(copies))

    head, mark, tail = text.partition("<ChildObjects>")
    return (head + mark + re.sub(r"<(\w+)>([^<]+)</\1>\s*", entries, tail)).encode("utf-8-sig")


def _write(path: Path, data: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--modules", type=int, default=2200)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    generate(arguments.folder, arguments.modules, arguments.seed)
