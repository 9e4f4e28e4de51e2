"""Detectors of keys, passwords, tokens and connection strings: the known shapes of detect-secrets, and those that 1C code has."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import cache

from ai_stack_assets.domain.bsl.lexer import words
from ai_stack_assets.domain.dataset.redaction.text import Detector, any_of, by_pattern

_SHAPES = (
    "aws.AWSKeyDetector",
    "azure_storage_key.AzureStorageKeyDetector",
    "discord.DiscordBotTokenDetector",
    "github_token.GitHubTokenDetector",
    "gitlab_token.GitLabTokenDetector",
    "jwt.JwtTokenDetector",
    "mailchimp.MailchimpDetector",
    "openai.OpenAIDetector",
    "pypi_token.PypiTokenDetector",
    "sendgrid.SendGridDetector",
    "slack.SlackDetector",
    "square_oauth.SquareOAuthDetector",
    "stripe.StripeDetector",
    "telegram_token.TelegramBotTokenDetector",
    "twilio.TwilioKeyDetector",
)
"""Plugins of detect-secrets whose shape alone is proof. Its keyword and entropy plugins take names and UUIDs for secrets."""

_OWN_SHAPES = (
    r"AIza[0-9A-Za-z_-]{35}",
    r"(?:AQVN|y[0-3]_)[0-9A-Za-z_-]{30,}",
    r"(?:Basic|Bearer)\s++(?=[\w+/.-]*[\d=])([\w+/.-]{12,}={0,2})",
)
_LONG = re.compile(r"[A-Za-z0-9_\-+/=.]{16}")

_LABEL = (
    r"(?:парол\w*|password\w*|passwd|pwd|passphrase|секрет\w*|secret\w*|токен\w*|token\w*|api_?key\w*"
    r"|ключ_?api|ключдоступа)"
)
_LABELS = any_of(
    "парол", "passw", "pwd", "passphr", "секрет", "secret", "токен", "token", "apikey", "api_key", "ключapi", "ключ_api",
    "ключдост",
)  # fmt: skip
_ARGUMENT = r"\s*(?:\"[^\"\n]*\"|[^\",();\n]*)"
_BEFORE = re.compile(
    rf"(?:\b(?P<name>\w*?{_LABEL})\s*=\s*|[\"'](?P<key>\w*?{_LABEL})[\"']\s*(?:,|\]\s*=)\s*"
    rf"|(?:соединение|connection)\s*\((?:{_ARGUMENT},){{3}}\s*)\Z",
    re.I,
)
_REACH = 160
"""Characters before a literal that are looked at for its label."""
_INSIDE = re.compile(
    rf"(?<![\w]){_LABEL}[\"']{{0,2}}\s*[:=]\s*(?:(?P<quote>\"\"|['\"])(?P<quoted>[^\"'\s]{{4,}}?)(?P=quote)"
    r"|(?P<bare>[A-Za-z0-9!@$^*_+\-]{5,})(?=[\s,;]|$))",
    re.I,
)
_ABOUT_NAMES = re.compile(
    r"имя|поле|поля|тип|вид|текст|заголов|подсказ|ключ(?!доступа|_?api)|путь|элемент|шаблон|символ|адрес|name|field|type|text|title",
    re.I,
)
_WORD_OF_LABEL = re.compile(_LABEL, re.I)
_HARMLESS = words("user:password login:password username:password логин:пароль пользователь:пароль user:pass")

_URL_USER = re.compile(r"://([^\s/:@\"'<>]+:[^\s/@\"'<>]+)@")
_URL_TOKEN = re.compile(
    r"[?&;](?:access_?token|refresh_?token|token|api_?key|secret|client_secret|password|pwd|sig|signature)"
    r"=([^&\s\"'<>%{}\[\]();]{5,})",
    re.I,
)
_PRIVATE_KEY = re.compile(
    r"-----BEGIN (?:[A-Z0-9]+ )*PRIVATE KEY(?: BLOCK)?-----"
    r"[^\"]*?(?:-----END (?:[A-Z0-9]+ )*PRIVATE KEY(?: BLOCK)?-----|(?=\"|\Z))"
)
_CONNECTION = re.compile(
    r"\b(?:Srvr|Ref|Usr|Pwd|WS|User ID|Uid|Password|Data Source|Initial Catalog|Server|Database)\s*=\s*", re.I
)
_CONNECTION_PART = re.compile(
    r"\b(?:Srvr|Ref|Usr|Pwd|User ID|Uid|Password|Data Source|Initial Catalog|Server|Database)\s*=\s*"
    r"(?:(?P<q>\"\"|')(?P<quoted>[^\"'\n]+)(?P=q)|(?P<bare>[^\s;\"'<>%\[{&|]+)(?=;|\"|\s|$))",
    re.I,
)
_CONNECTION_SIGN = re.compile(r"\b(?:Usr|Pwd|Uid|User ID|Password)\s*=", re.I)
_NO_HOST = words("localhost 127.0.0.1 server servername database base . (local)")


def detectors() -> tuple[Detector, ...]:
    return (
        Detector("private_key", any_of("private key"), by_pattern(_PRIVATE_KEY)),
        Detector("connection", any_of("usr", "pwd", "user id", "uid", "password"), _connections),
        Detector("credentials", any_of("://"), by_pattern(_URL_USER, keep=_is_known, group=1)),
        Detector(
            "token",
            any_of("token=", "key=", "secret=", "password=", "pwd=", "sig", "signature="),
            _url_tokens,
        ),
        Detector("token", _LONG.search, _shapes),
        Detector("password", _LABELS, _labelled, is_hint_in_code=True),
        Detector("password", any_of("соединение(", "connection("), _labelled, is_hint_in_code=True),
        Detector("password", _LABELS, _inside, is_hint_in_code=True),
    )


def is_template(value: str) -> bool:
    """A hole to fill, a row of stars, or a value that stands for itself as an example."""
    return (
        any(sign in value for sign in "%<>{}[]")
        or value[0] == "&"
        or not value.strip("*•xXхХ.0-_ ")
        or value.lower() in _HARMLESS
    )


def _is_known(value: str) -> bool:
    return value.lower() in _HARMLESS or is_template(value)


def _url_tokens(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    for found in _URL_TOKEN.finditer(text, start, end):
        if any(c.isdigit() for c in found[1]) and not is_template(found[1]):
            yield found.span(1)


@cache
def _patterns() -> tuple[re.Pattern[str], ...]:
    from importlib import import_module

    found = [re.compile(shape) for shape in _OWN_SHAPES]
    for name in _SHAPES:
        module, plugin = name.split(".")
        found += getattr(import_module(f"detect_secrets.plugins.{module}"), plugin).denylist
    return tuple(found)


def _shapes(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    if not _LONG.search(text, start, end):
        return
    for number, pattern in enumerate(_patterns()):
        for found in pattern.finditer(text, start, end):
            # of our own shapes the group is the secret; theirs is often only its prefix
            first, last = found.span(1 if number < len(_OWN_SHAPES) and pattern.groups else 0)
            is_word = text[first - 1 : first].isalnum() or text[last : last + 1].isalnum()
            if not is_word:
                yield first, last


def _labelled(text: str, start: int, end: int) -> Iterable[tuple[int, int]]:
    """The whole literal, when what stands before says that it is a secret: `Пароль = "…"`, `.Вставить("Токен", "…")`."""
    if text[start] != '"' or end - start < 6 or text[end - 1] != '"':
        return
    value = text[start + 1 : end - 1]
    if is_template(value) or any(c.isspace() or c in '"|' for c in value):
        return
    found = _BEFORE.search(text, max(0, start - _REACH), start)
    if not found:
        return
    label = found["name"] or found["key"] or "пароль"
    if _is_secret(value, label):
        yield start + 1, end - 1


def _is_secret(value: str, label: str) -> bool:
    """Whether a value under such a label is the secret, and no name, title, type or message about one."""
    if len(value) < 4 or _WORD_OF_LABEL.search(value) or value.startswith(("http", "e1cib", "$", "@")):
        return False
    if _ABOUT_NAMES.match(label):
        return False
    if any(c.isdigit() for c in value):
        # a Russian word with a number is the name of something
        return not re.match(r"[А-ЯЁа-яё]{3}", value)
    # letters alone: a word of a name's shape is a name; under a bare label such as `Пароль` it may be a weak password
    is_bare = bool(re.fullmatch(r"(?:парол[ья]|password|passwd|pwd)", label, re.I))
    return is_bare and value.isascii() and (value.islower() or not value.isalpha())


def _inside(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    """`пароль: qwe123`, `""token"": ""…""` within a comment, a JSON text, prose."""
    for found in _INSIDE.finditer(text, start, end):
        group = "quoted" if found["quoted"] else "bare"
        value = found[group]
        if is_template(value) or _WORD_OF_LABEL.search(value) or not any(c.isdigit() for c in value):
            continue
        if group == "quoted" or any(c.isalpha() for c in value) or len(value) >= 6:
            yield found.span(group)


def _connections(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    """Values of a connection string that names a user or a password; its keys stay."""
    if len(list(_CONNECTION.finditer(text, start, end))) < 2 or not _CONNECTION_SIGN.search(text, start, end):
        return
    for found in _CONNECTION_PART.finditer(text, start, end):
        group = "quoted" if found["quoted"] else "bare"
        if not is_template(found[group]) and found[group].lower() not in _NO_HOST:
            yield found.span(group)
