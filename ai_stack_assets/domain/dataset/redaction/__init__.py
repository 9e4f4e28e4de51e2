"""Secrets and personal data out of what is published. Works offline; changes literals and comments, never a token of the program.

`text` redacts; the other modules hold detectors, one kind of thing each. A detector costs next to nothing where its hint is
missing, which is nearly everywhere. What looks like a secret but is an example (`user@example.com`, 192.0.2.1, a test card)
stays.

People are found by the Russian forms of their names (initials, patronymics, an author's mark), not by a neural tagger:
Natasha's, tried on 1,500 doc comments of real configurations, took 1,117 parameter names and types for people, none of 40
looked at was one, at 44 comments a second. Of the numbers of registers only those of people are personal: ОГРНИП is redacted,
ОГРН of a company is not; ИНН has one form for both, so both are.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from ai_stack_assets.domain.dataset.redaction import addresses, names, personal, secrets
from ai_stack_assets.domain.dataset.redaction.text import (
    PLACEHOLDER,
    Detector,
    Finding,
    literals_and_comments,
    redact,
    woken,
)


@dataclass(frozen=True)
class RedactionSettings:
    """What is left as it is: kinds such as `person` or `ip`."""

    kept_kinds: tuple[str, ...] = ()


@cache
def detectors(settings: RedactionSettings) -> tuple[Detector, ...]:
    """In order of precedence: what is certain by its shape first."""
    all_of_them = (d for module in (secrets, personal, addresses, names) for d in module.detectors())
    return tuple(d for d in all_of_them if d.kind not in settings.kept_kinds)


__all__ = [
    "PLACEHOLDER",
    "Detector",
    "Finding",
    "RedactionSettings",
    "detectors",
    "literals_and_comments",
    "redact",
    "woken",
]
