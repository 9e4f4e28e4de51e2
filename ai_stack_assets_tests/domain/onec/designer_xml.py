"""Writes small Designer dumps for tests: the wrapping that every file has, and nothing of what is tested."""

from __future__ import annotations

from pathlib import Path

from ai_stack_assets.domain.onec.assembly import GroupRows, assemble
from ai_stack_assets.domain.onec.layout import Root, discover, list_files
from ai_stack_assets.domain.onec.model import Node
from ai_stack_assets.domain.onec.reader import parse_file

_NAMESPACES = (
    'xmlns="http://v8.1c.ru/8.3/MDClasses" xmlns:app="http://v8.1c.ru/8.2/managed-application/core"'
    ' xmlns:cfg="http://v8.1c.ru/8.1/data/enterprise/current-config" xmlns:v8="http://v8.1c.ru/8.1/data/core"'
    ' xmlns:xr="http://v8.1c.ru/8.3/xcf/readable" xmlns:xs="http://www.w3.org/2001/XMLSchema"'
    ' xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"'
)
UUID = "1D6B8425-360C-4ab1-9bab-cc9a3b590bb2"


def metadata(kind: str, name: str, properties: str = "", children: str = "") -> str:
    """A `<MetaDataObject>` file."""
    return (
        f'\ufeff<?xml version="1.0" encoding="UTF-8"?>\n<MetaDataObject {_NAMESPACES} version="2.21">'
        f"{part(kind, name, properties, children)}</MetaDataObject>"
    )


def part(kind: str, name: str, properties: str = "", children: str = "") -> str:
    """An object or a child: `<Kind uuid><Properties><Name/>…</Properties><ChildObjects/></Kind>`."""
    return (
        f'<{kind} uuid="{UUID}"><Properties><Name>{name}</Name>{properties}</Properties>'
        f"<ChildObjects>{children}</ChildObjects></{kind}>"
    )


def typed(*types: str, qualifiers: str = "") -> str:
    return f"<Type>{''.join(f'<v8:Type>{name}</v8:Type>' for name in types)}{qualifiers}</Type>"


def text(tag: str, **languages: str) -> str:
    items = (
        f"<v8:item><v8:lang>{language}</v8:lang><v8:content>{content}</v8:content></v8:item>"
        for language, content in languages.items()
    )
    return f"<{tag}>{''.join(items)}</{tag}>"


def form(content: str) -> str:
    namespaces = _NAMESPACES.replace("8.3/MDClasses", "8.3/xcf/logform")
    return f'<?xml version="1.0" encoding="UTF-8"?>\n<Form {namespaces} version="2.21">{content}</Form>'


def read(role: str, source: str) -> Node:
    return parse_file("designer", role, source.encode())


def write(folder: Path, files: dict[str, str]) -> Path:
    for path, content in files.items():
        target = folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(content, encoding="utf-8")
    return folder


def configuration(*children: str, properties: str = "") -> str:
    """`Configuration.xml` with a list of children: `Catalog.Валюты`."""
    listed = "".join("<{0}>{1}</{0}>".format(*child.split(".")) for child in children)
    return metadata("Configuration", "Проба", properties, listed)


def rows_of(folder: Path) -> tuple[Root, dict[str, GroupRows]]:
    """The only root of a folder and the rows of each of its groups."""
    (root,) = discover(folder)
    files, _ = list_files(root)
    facts: dict[str, dict] = {}
    for file in files:
        group = facts.setdefault(file.group, {})
        data = (root.path / file.path).read_bytes()
        group[file.path] = None if file.role == "module" else parse_file(root.layout, file.role, data)
    return root, {group: assemble(root, group, found) for group, found in facts.items()}
