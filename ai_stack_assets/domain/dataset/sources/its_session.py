"""Pages of ITS for a user who has an account: robots.txt, login by a form like that of login.1c.ru, once more when it expires."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import quote, urljoin, urlsplit

from ai_stack_assets.domain.common.failures import PermanentError
from ai_stack_assets.domain.dataset.sources.its_articles import NotHtml, parse_html
from ai_stack_assets.domain.dataset.sources.polite import Manners, Page, PoliteClient

if TYPE_CHECKING:
    from lxml.html import FormElement

ROBOT = "ai_stack_assets"
CREDENTIALS = "ITS_USER, ITS_PASSWORD"
_HTTP_REFUSALS = (401, 403)


@dataclass(frozen=True)
class ItsManners(Manners):
    """Slower than elsewhere: ITS is read by people."""

    delay_seconds: float = 1
    retries: int = 3


@dataclass(frozen=True)
class ItsSettings:
    """Off until user and password are set."""

    user: str = ""
    password: str = field(default="", repr=False)
    sections: tuple[str, ...] = ("/db/v8std",)
    """Paths. What lies below them is read, and the bodies of documents, which ITS keeps in `/db/content/<section>`."""
    base_url: str = "https://its.1c.ru"
    login_url: str = ""
    """Page with the form; empty: the one of login.1c.ru for `base_url`."""
    licence: str = "LicenseRef-1C-ITS"
    is_publishable: bool = False
    """Set it only when your licence allows to pass the articles on."""
    recheck_hours: float = 144
    """A page that was asked for within this time is not asked for again: a run that is repeated costs nothing."""
    max_pages: int = 20_000
    manners: ItsManners = field(default_factory=ItsManners)

    @property
    def is_on(self) -> bool:
        return bool(self.user and self.password and self.sections)

    @property
    def login_page(self) -> str:
        service = quote(f"{self.base_url.rstrip('/')}/login/?action=aftercheck&provider=login", safe="")
        return self.login_url or f"https://login.1c.ru/login?service={service}"


class LoginPage(PermanentError):
    """A page is shown to nobody with this account: the login form stands in its place."""


class ItsSession:
    """Gives pages by address. Logs in when the first one is asked for."""

    def __init__(self, settings: ItsSettings, client: PoliteClient) -> None:
        from protego import Protego

        self.settings, self.client = settings, client
        self.logins = 0
        self._has_read = False
        """Since the last login: only then can the session have expired."""
        self._robots = Protego.parse("")
        self._knows_robots = False

    def may_read(self, url: str) -> bool:
        """What robots.txt says, and by the way how long to wait between requests."""
        from protego import Protego

        if not self._knows_robots:
            page = self.client.send("GET", urljoin(self.settings.base_url, "/robots.txt"))
            # RFC 9309: a file that is not there allows everything
            self._robots = Protego.parse(page.text if page.status == 200 else "")
            self._knows_robots = True
            delay = max(self._robots.crawl_delay(ROBOT) or 0, self.settings.manners.delay_seconds)
            self.client.manners = dataclasses.replace(self.client.manners, delay_seconds=delay)
        return self._robots.can_fetch(url, ROBOT)

    def get(self, url: str) -> Page:
        """A page as the user sees it.

        Raises:
            LoginPage: even right after a login.
            PermanentError: the account is refused; the page is too large.
            TransientError: the server is away.
        """
        if not self.logins:
            self._login()
        page = self.client.get(url, keep=lambda page: not self._is_login(page))
        if self._is_login(page) and self._has_read:
            self._login()
            page = self.client.get(url, keep=lambda page: not self._is_login(page))
        if self._is_login(page):
            raise LoginPage(f"{url} shows the login page to this account (settings {CREDENTIALS})")
        self._has_read = True
        return page

    def _login(self) -> None:
        self._has_read = False
        self.logins += 1
        page = self.client.send("GET", self.settings.login_page)
        form = login_form(page)
        if form is None:
            if page.url.startswith(self.settings.base_url):
                return  # the login server remembers us
            raise PermanentError(
                f"ITS: no login form at {page.url.partition('?')[0]} (setting ITS_LOGIN_URL)"
            )
        action = urljoin(page.url, form.action or page.url)
        if urlsplit(action)[:2] != urlsplit(page.url)[:2]:
            # the password goes nowhere else
            raise PermanentError(f"ITS: the login form leads to another server, {urlsplit(action).netloc}")
        answer = self.client.send("POST", action, data=self._filled(form))
        if answer.status in _HTTP_REFUSALS or login_form(answer) is not None:
            raise PermanentError(f"ITS refuses the account {self.settings.user!r} (settings {CREDENTIALS})")

    def _filled(self, form: FormElement) -> dict[str, str]:
        """All hidden fields as they came (`execution`, CSRF tokens), user and password where they belong."""
        values = {name: value or "" for name, value in form.form_values()}
        inputs = [field for field in form.iter("input") if field.get("name")]
        (password,) = [field for field in inputs if field.get("type") == "password"][:1]
        users = [
            f for f in inputs[: inputs.index(password)] if (f.get("type") or "text") in ("text", "email")
        ]
        user = users[-1].get("name") if users else "username"
        return {**values, user: self.settings.user, password.get("name"): self.settings.password}

    def _is_login(self, page: Page) -> bool:
        return page.status == 401 or login_form(page) is not None


def login_form(page: Page) -> FormElement | None:
    """The form of a page that asks for a password, if any."""
    if b"password" not in page.body.lower():
        return None
    try:
        tree = parse_html(page.body, page.headers.get("content-type", ""))
    except NotHtml:
        return None
    forms = [form for form in tree.forms if form.xpath(".//input[@type='password'][@name]")]
    return forms[0] if forms else None
