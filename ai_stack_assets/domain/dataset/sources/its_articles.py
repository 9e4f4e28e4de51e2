"""An HTML page of a knowledge base: its title, where it leads to, and the BSL samples in it with the text around. No network."""

from __future__ import annotations

import re
import textwrap
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import urldefrag, urljoin

from ai_stack_assets.domain.bsl.lexer import any_case, mask

if TYPE_CHECKING:
    from lxml.html import HtmlElement

DESCRIPTION_CHARACTERS = 2_000
"""Of the text before a sample; what explains it stands right above."""
_SHORTEST = 15
"""Characters: less is a name in a sentence."""

_UNREAD = ("script", "style", "noscript", "nav", "header", "footer", "form", "button", "select")
_LINES = "p|div|li|ul|ol|tr|table|h1|h2|h3|h4|h5|h6|br|hr|dt|dd|blockquote|section|article|pre"
_MARK = re.compile("\ue000(\\d+)\ue001")

_RUSSIAN = any_case(
    "процедура функция конецпроцедуры конецфункции если тогда иначеесли конецесли цикл конеццикла попытка исключение"
    " конецпопытки возврат перем экспорт новый вызватьисключение каждого наклиенте насервере насерверебезконтекста"
)
_ENGLISH = any_case("endprocedure endfunction endif enddo endtry elsif procedure atclient atserver")
_KEYWORD = re.compile(rf"(?<![\w.])(?:{_RUSSIAN}|{_ENGLISH})(?!\w)")
_STATEMENT = re.compile(r"(?m)^[ \t]*+[А-Яа-яЁё_][\w.]*+[ \t]*+[(=][^;\n]*+;")
"""`Имя.Имя(…;` or `Имя = …;` at the beginning of a line."""
_QUERY = re.compile(rf"\s*(?:{any_case('выбрать select')})\s")
_OTHER_LANGUAGE = re.compile(r"\s*(?:[<{\[]|#!|\$ |public |import |package |def |curl )")


class Sample(NamedTuple):
    code: str
    description: str
    """Text before it, or after it when there is none before."""


class Article(NamedTuple):
    title: str
    samples: list[Sample]
    others: list[str]
    """Blocks of code that are not BSL."""
    links: list[str]
    """Absolute addresses without fragments, in order."""
    frames: list[str]
    """What the page shows inside of itself."""


class NotHtml(ValueError):
    """Nothing that a browser would show as a page."""


def read_article(body: bytes, url: str, content_type: str = "") -> Article:
    """Everything of interest on a page.

    Raises:
        NotHtml: empty, or another kind of file.
    """
    tree = parse_html(body, content_type)
    links = _addresses(tree, url, "a", "href")
    frames = [*_addresses(tree, url, "iframe", "src"), *_addresses(tree, url, "frame", "src")]
    title = _title(tree)
    blocks, texts = _blocks(tree)
    samples, others = [], []
    for number, code in enumerate(blocks):
        if is_bsl(code):
            before, after = (
                texts[number][-DESCRIPTION_CHARACTERS:],
                texts[number + 1][:DESCRIPTION_CHARACTERS],
            )
            samples.append(Sample(code, before.removeprefix(title).lstrip() or after))
        elif len(code) >= _SHORTEST:
            others.append(code)
    return Article(title, samples, others, links, frames)


def parse_html(body: bytes, content_type: str = "") -> HtmlElement:
    """The tree of a page, by the encoding that the server names, else the page itself."""
    import lxml.html
    from lxml.etree import LxmlError

    if "html" not in (content_type or "html"):
        raise NotHtml(content_type)
    charset = re.search(r"charset=[\"']?([\w-]+)", content_type)
    try:
        parser = lxml.html.HTMLParser(encoding=charset[1] if charset else None)
        return lxml.html.document_fromstring(body, parser=parser)
    except (LxmlError, LookupError, ValueError) as error:
        raise NotHtml(str(error)) from error


def is_bsl(code: str) -> bool:
    """Whether a block of code is BSL: by its keywords outside of strings and comments, or its statements in Russian."""
    if len(code) < _SHORTEST or _OTHER_LANGUAGE.match(code) or _QUERY.match(code):
        return False
    plain = mask(code).code
    keywords = {word.lower() for word in _KEYWORD.findall(plain)}
    return len(keywords) >= 2 or bool(_STATEMENT.search(plain)) or (bool(keywords) and ";" in plain)


def _title(tree: HtmlElement) -> str:
    for path in ("//h1", "//title", "//h2"):
        for element in tree.xpath(path):
            if text := " ".join(element.text_content().split()):
                return text
    return ""


def _addresses(tree: HtmlElement, url: str, tag: str, attribute: str) -> list[str]:
    found = dict.fromkeys(value.strip() for value in tree.xpath(f"//{tag}/@{attribute}"))
    addresses = []
    for value in found:
        try:
            addresses.append(urldefrag(urljoin(url, value)).url)
        except ValueError:
            continue
    return [address for address in dict.fromkeys(addresses) if address.startswith(("http://", "https://"))]


def _blocks(tree: HtmlElement) -> tuple[list[str], list[str]]:
    """Blocks of code, and the texts before, between and after them: one more."""
    body = tree.find("body")
    body = tree if body is None else body
    # lists: the tree changes under the search
    for element in [e for e in body.iter(*_UNREAD) if e is not body]:
        element.drop_tree()
    blocks: list[str] = []
    for element in body.xpath(".//*[self::pre or self::code][not(ancestor::pre or ancestor::code)]"):
        code = _code(element)
        if element.tag == "code" and "\n" not in code:
            continue
        tail = element.tail
        element.clear()
        element.text, element.tail = f"\ue000{len(blocks)}\ue001", tail
        blocks.append(code)
    for element in body.iter(*_LINES.split("|")):
        element.tail = "\n" + (element.tail or "")
    return blocks, [_prose(text) for text in _MARK.split(body.text_content())[::2]]


def _prose(text: str) -> str:
    """Lines of text with single blanks, without empty ones."""
    return "\n".join(filter(None, (" ".join(line.split()) for line in text.split("\n"))))


def _code(element: HtmlElement) -> str:
    for line in list(element.iter("br", "p", "div", "li")):
        line.tail = "\n" + (line.tail or "")
    text = element.text_content().replace("\xa0", " ").replace("\r\n", "\n").replace("\r", "\n")
    return textwrap.dedent(text).strip("\n").rstrip()
