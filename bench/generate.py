"""Writes a configuration of any size by multiplying the sample: every object many times under numbered names, and every
method many times within its module. References inside a copy stay inside it, so all counts grow in proportion.

    python bench/generate.py FOLDER --modules 2200 [--methods 12]
"""

from __future__ import annotations

import argparse
import re
import shutil
from pathlib import Path

SAMPLE = Path(__file__).parents[1] / "samples" / "demo" / "designer"
KEPT = ("Configuration.xml", "Ext", "Languages")
"""Once per configuration: its own file, its own modules, its language."""

_METHOD = re.compile(
    r"(?ims)^(?:[ \t]*//[^\n]*\n|[ \t]*&[^\n]*\n)*"
    r"[ \t]*(?:Асинх[ \t]+)?(?:Процедура|Функция)[ \t]+(\w+)\b.*?^[ \t]*Конец(?:Процедуры|Функции)[^\n]*\n"
)


def generate(folder: Path, modules: int, methods: int) -> None:
    """Args: folder: made anew. modules: at least so many. methods: copies of each method within its module."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    files = [file for file in sorted(SAMPLE.rglob("*")) if file.is_file()]
    copied = [file for file in files if file.relative_to(SAMPLE).parts[0] not in KEPT]
    names = sorted(
        {file.relative_to(SAMPLE).parts[1].removesuffix(".xml") for file in copied}, key=len, reverse=True
    )
    pattern = re.compile(r"(?<![\w])(" + "|".join(map(re.escape, names)) + r")(?![\w])")
    per_copy = sum(file.suffix == ".bsl" for file in copied)
    copies = -(-modules // per_copy)
    for file in files:
        if file not in copied and file.name != "Configuration.xml":
            _write(folder / file.relative_to(SAMPLE), file.read_bytes())
    for number in range(copies):
        for file in copied:
            path = pattern.sub(rf"\g<1>{number:04d}", file.relative_to(SAMPLE).as_posix())
            _write(folder / path, _copy(file, pattern, number, methods))
    _write(folder / "Configuration.xml", _configuration(copies, names))


def _copy(file: Path, pattern: re.Pattern[str], number: int, methods: int) -> bytes:
    if file.suffix not in (".bsl", ".xml"):
        return file.read_bytes()
    text = pattern.sub(rf"\g<1>{number:04d}", file.read_text("utf-8-sig"))
    if file.suffix == ".bsl":
        text = _METHOD.sub(lambda found: _multiplied(found[0], found[1], methods), text)
    else:
        text = re.sub(r'uuid="[0-9a-f]{8}', f'uuid="{number:08x}', text)
    return text.encode("utf-8-sig")


def _multiplied(method: str, name: str, times: int) -> str:
    copies = [re.sub(rf"\b{name}\b", f"{name}{n}", method) for n in range(1, times)]
    return "\n".join([method, *copies])


def _configuration(copies: int, names: list[str]) -> bytes:
    """The sample's Configuration.xml with its list of children multiplied, languages excepted."""
    text = (SAMPLE / "Configuration.xml").read_text("utf-8-sig")
    known = set(names)

    def entries(found: re.Match[str]) -> str:
        if found[2] not in known:
            return found[0]
        return "".join(f"<{found[1]}>{found[2]}{n:04d}</{found[1]}>\n\t\t\t" for n in range(copies))

    head, mark, tail = text.partition("<ChildObjects>")
    return (head + mark + re.sub(r"<(\w+)>([^<]+)</\1>\s*", entries, tail)).encode("utf-8-sig")


def _write(path: Path, data: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path)
    parser.add_argument("--modules", type=int, default=2200)
    parser.add_argument("--methods", type=int, default=12, help="copies of each method within its module")
    arguments = parser.parse_args()
    generate(arguments.folder, arguments.modules, arguments.methods)
