"""Detector of IP addresses. Versions (`3.1.10.25`) and OIDs have the same shape: an address must show that it is one."""

from __future__ import annotations

import re
from collections.abc import Iterator

from ai_stack_assets.domain.bsl.lexer import words
from ai_stack_assets.domain.dataset.redaction.text import Detector

_OCTET = r"(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)"
_IPV4 = re.compile(rf"(?<![\w.\-]){_OCTET}(?:\.{_OCTET}){{3}}(?![\w\-]|\.\w)")
_IPV6 = re.compile(
    r"(?<![\w:.])(?:[0-9a-f]{1,4}:){7}[0-9a-f]{1,4}(?![\w:.])|(?<![\w:.])(?:[0-9a-f]{1,4}:){2,6}(?::[0-9a-f]{1,4}){1,5}(?![\w:.])",
    re.I,
)
_HINT_4 = re.compile(r"[0-9]\.[0-9]+\.[0-9]+\.[0-9]")
_HINT_6 = re.compile(r"[0-9a-f]:[0-9a-f:]*:[0-9a-f]")
_VERSION_WORD = re.compile(
    r"верси|version|релиз|release|редакци|build|сборк|обновлени|платформ|oid|предприяти", re.I
)
_ADDRESS_WORD = re.compile(
    r"\bip|(?<=[а-яa-z])IP(?![a-z])|(?i:айпи|\bхост|host\b|адрес|\baddress|dns|шлюз|gateway|подсет|subnet)"
)
_LABEL = re.compile(r"(?:сервер\w*|server|прокси|proxy|ping|srvr)[\"']*\s*[:= ]\s*[\"']*\Z", re.I)
_PORT_OR_MASK = re.compile(r":\d{2,5}\b|/\d{1,2}\b")
_REACH = 60


def detectors() -> tuple[Detector, ...]:
    return (Detector("ip", _hint, _addresses),)


def _hint(lower: str) -> object:
    return _HINT_4.search(lower) or (lower.count(":") > 3 and _HINT_6.search(lower))


def _addresses(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    from ipaddress import ip_address

    for found in _IPV4.finditer(text, start, end):
        address = ip_address(found[0])
        if not _is_known(str(address)) and _is_address(text, *found.span()):
            yield found.span()
    for found in _IPV6.finditer(text, start, end):
        try:
            address = ip_address(found[0])
        except ValueError:
            continue
        if not _is_known(str(address)):
            yield found.span()


def _is_address(text: str, start: int, end: int) -> bool:
    """By what stands before it in its line (a scheme, a label, a word) or right behind it: a port, a mask."""
    before = text[max(0, start - _REACH, text.rfind("\n", 0, start)) : start]
    if (
        before.endswith(("://", "@", "\\\\"))
        or _LABEL.search(before)
        or text.startswith(("192.168.", "172.16."), start)
    ):
        return True
    if _VERSION_WORD.search(before):
        return False
    return bool(_ADDRESS_WORD.search(before) or _PORT_OR_MASK.match(text, end))


def _is_known(address: str) -> bool:
    """Addresses that belong to nobody or to everybody: loopback, masks, ranges for documentation, public name servers."""
    from ipaddress import ip_address

    value = ip_address(address)
    if value.is_loopback or value.is_unspecified or value.is_multicast or value.is_link_local:
        return True
    return (
        address.startswith(("255.", "0.", "192.0.2.", "198.51.100.", "203.0.113.", "2001:db8:"))
        or address in _PUBLIC
    )


_PUBLIC = words(
    "8.8.8.8 8.8.4.4 1.1.1.1 77.88.8.8 77.88.8.1 77.88.8.88 1.2.3.4 10.0.0.0 192.168.0.0 172.16.0.0"
)
