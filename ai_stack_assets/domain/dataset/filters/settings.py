"""Thresholds of the rules. Each was set where the methods of real configurations thin out; no rule has a number of its own."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class FilterSettings:
    """What a record must keep to. Lengths in characters unless said."""

    fewest_tokens: int = 12
    """`Функция А() Возврат 1; КонецФункции` has 8, a getter of one property about 14."""
    most_characters: int = 50_000
    most_lines: int = 1_000
    longest_line: int = 1_000
    """Standard 456 allows 120; generated and minified code has thousands."""
    most_mean_line: float = 160.0
    most_comments: float = 0.75
    """Share of the characters that are comments."""
    fewest_known_words: float = 0.02
    """Share of BSL keywords among the words of a text without a method."""
    most_replaced: float = 0.0
    """Share of U+FFFD, control characters and other traces of a wrong encoding; one in a literal is one too many."""
    fewest_mojibake: int = 3
    """Pairs such as `Рџ` (UTF-8 read as cp1251) or `Ï` runs (cp1251 read as Latin) that make a text damaged."""
    longest_literal: int = 8_000
    most_literals: float = 0.85
    """Share of the code inside literals, from `table_lines` lines on: a table, not a program."""
    table_lines: int = 50
    most_same_shape: float = 0.75
    """Share of the most frequent shape of a line (names, numbers and literals blanked), from `table_lines` lines on."""
    most_repeated_lines: float = 0.7
    """Share of the lines that repeat an earlier one word by word, from `fewest_repeated_lines` lines on."""
    fewest_repeated_lines: int = 12
    fewest_distinct: float = 0.06
    """Different words / words, from 100 words on."""
    longest_run: int = 200
    """Equal characters one after another, blanks and the ruler lines of comments not counted."""
