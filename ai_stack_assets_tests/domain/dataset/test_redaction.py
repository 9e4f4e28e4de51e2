"""What is secret or personal goes, what only looks so stays, and the program is the same program. All values are made up."""

from __future__ import annotations

import pytest

from ai_stack_assets.domain.bsl.lexer import mask
from ai_stack_assets.domain.dataset.redaction import (
    RedactionSettings,
    detectors,
    literals_and_comments,
    redact,
)

DETECTORS = detectors(RedactionSettings())
TOKEN = "gh" + "p_" + "a1B2" * 9
AWS = "AKIA" + "Q3EGRIX7TBDVZ2KM"
JWT = "eyJ" + "hbGciOiJIUzI1NiJ9.eyJzdWIiOiI3NyJ9.c2lnbmF0dXJl"
BOT = "5839201746:" + "AbCdE" * 7
KEY = "-----BEGIN RSA " + "PRIVATE KEY-----\n\t|MIIEow\n\t|-----END RSA PRIVATE KEY-----"


def code(text: str) -> tuple[str, list[str]]:
    new, findings = redact(text, DETECTORS, literals_and_comments(text))
    for finding in findings:
        assert new[finding.position :].startswith(f"<{finding.kind.upper()}>")
    return new, [finding.kind for finding in findings]


FOUND = [
    ("private_key", f'Ключ = "{KEY}";'),
    ("connection", 'Строка = "Srvr=""app01"";Ref=""erp"";Usr=""robot"";Pwd=""k7-Tr"";";'),
    ("connection", 'Строка = "Srvr=app01;Ref=erp;Usr=robot;Pwd=k7Tr;";'),
    ("connection", 'Строка = "Provider=SQLOLEDB;Data Source=db01;User ID=sa;Password=k7Tr;";'),
    ("credentials", 'Адрес = "https://robot:k7Tr9@erp.firma.su/hs/api";'),
    ("token", 'Адрес = "https://erp.firma.su/hs/api?access_token=8f7e6d5c4b3a";'),
    ("token", f'Заголовки.Вставить("Authorization", "Bearer {JWT}");'),
    ("token", f"// старый ключ {TOKEN}"),
    ("token", f'Настройки.Доступ = "{AWS}";'),
    ("token", f'Бот = "{BOT}";'),
    ("token", 'Заголовки["Authorization"] = "Basic cm9ib3Q6azdUcjk=";'),
    ("password", 'Пароль = "k7-Tr9";'),
    ("password", 'Пароль = "qwerty";'),
    ("password", 'Параметры.Вставить("Пароль", "k7-Tr9");'),
    ("password", 'Настройки["Token"] = "8f7e6d5c4b3a";'),
    ("password", 'СекретныйКлюч = "8f7e6d5c4b3a";'),
    ("password", 'Соединение = Новый HTTPСоединение("erp.firma.su", 443, "robot", "k7Tr9");'),
    ("password", "// логин robot, пароль: k7Tr9"),
    ("password", 'Тело = "{""user"": ""robot"", ""password"": ""k7Tr9""}";'),
    ("email", 'Кому = "a.kuznetsova@firma.su";'),
    ("email", "// Вопросы: kuznetsova@firma.su"),
    ("phone", 'Телефон = "+7 (495) 783-20-14";'),
    ("phone", "// звонить 8-916-783-20-14"),
    ("phone", "// тел. 84957832014"),
    ("card", 'Карта = "4556 7375 8689 9855";'),
    ("inn", 'ИНН = "500100732259";'),
    ("inn", 'Реквизиты.ИНН = "7830002293";'),
    ("snils", 'Номер = "112-233-445 95";'),
    ("snils", 'СНИЛС = "11223344595";'),
    ("ogrnip", 'ОГРНИП = "304500116000157";'),
    ("passport", "// паспорт 45 08 736214"),
    ("passport", 'Паспорт = "4508 № 736214";'),
    ("ip", 'Сервер = "85.143.12.7";'),
    ("ip", 'Адрес = "http://85.143.12.7:8080/erp";'),
    ("ip", "// хост 10.20.30.41"),
    ("ip", 'Сеть = "192.168.17.4";'),
    ("ip", "// адрес 2a02:6b8:0:1:21a:2bff:fe3c:4d5e"),
    ("person", "// Кузнецова А.П. просила так"),
    ("person", "// см. письмо А. П. Кузнецовой от мая"),
    ("person", 'Ответственный = "Кузнецова Анна Павловна";'),
    ("person", "// согласовал Кузнецов Сергей Иванович"),
    ("person", "// см. Смирнова Анна Петровна"),
    ("person", "// письмо Смирновой Анны Петровны"),
    ("person", "// Автор: Анна Кузнецова"),
    ("person", "// (c) Anna Kuznetsova"),
    ("person", "//+++ Кузнецова 01.02.2020"),
]


@pytest.mark.parametrize(("kind", "text"), FOUND)
def test_a_secret_is_replaced(kind: str, text: str) -> None:
    new, kinds = code(text)
    assert set(kinds) == {kind}
    assert f"<{kind.upper()}>" in new


KEPT = [
    'Адрес = "user@example.com";',
    'Адрес = "git@github.com:owner/name.git";',
    'Адрес = "https://user:password@host.local/api";',
    'Строка = "Srvr=""%1"";Ref=""%2"";Usr=""%3"";Pwd=""%4"";";',
    'Строка = "Srvr=" + Сервер + ";Usr=" + Имя + ";Pwd=" + Пароль + ";";',
    'Адрес = "https://erp.firma.su?token=%1";',
    'Пароль = "";',
    'Пароль = "********";',
    'Пароль = "<пароль>";',
    'ИмяПоляПароль = "ПарольПользователя1";',
    'ТекстПароля = "Введите пароль не короче 8 знаков";',
    'Если Элемент.Имя = "Пароль" Тогда',
    'Поля.Вставить("Пароль", "Раздел1");',
    'ТипТокена = "Bearer";',
    "// Пароль = Параметры.Пароль;",
    'Телефон = "+7 (999) 999-99-99";',
    'Идентификатор = "f81d4fae-7dec-11d0-a765-00a0c91e6bf6";',
    'Номер = "20240131123045";',
    'Карта = "4111 1111 1111 1111";',
    'Карта = "4556 7375 8689 9856";',
    'ИНН = "7830002294";',
    'ИНН = "0000000000";',
    'Число = "7830002293";',
    'ОГРН = "1027700132195";',
    'СНИЛС = "112-233-445 96";',
    'Номер = "4508 736214";',
    'Версия = "3.1.10.25";',
    'СравнитьВерсии(ВерсияПрокси, "3.0.2.1");',
    'Если СравнитьВерсииКонфигурации(Адрес.Версия, "3.1.10.25") > 0 Тогда',
    "// платформа 8.3.21.160",
    'OID = "1.2.643.7.1.1.1.1";',
    'OID = "2.5.29.35";',
    'Сервер = "127.0.0.1";',
    'Адрес = "192.0.2.10";',
    'Маска = "255.255.255.0";',
    "// время 12:30:45:10",
    "// Фамилия И.О. через пробел",
    "// например, Иванов Иван Иванович",
    "// например, от Петровой Анны Сергеевны",
    "// например, Сидорову А.П.",
    "// Автор - СправочникСсылка.Пользователи",
    "// Основная Форма Списка",
    "// т.е. А. и Б. равны",
    "Пароль = Параметры.Пароль; ИНН = 7830002293;",
]


@pytest.mark.parametrize("text", KEPT)
def test_what_only_looks_like_a_secret_stays(text: str) -> None:
    assert code(text) == (text, [])


def test_a_connection_string_keeps_its_keys() -> None:
    new, _ = code('Строка = "Srvr=""app01"";Ref=""erp"";Usr=""robot"";Pwd=""k7-Tr"";";')
    mark = "<CONNECTION>"
    assert new == f'Строка = "Srvr=""{mark}"";Ref=""{mark}"";Usr=""{mark}"";Pwd=""{mark}"";";'


@pytest.mark.parametrize(("kind", "text"), FOUND)
def test_redacting_twice_is_redacting_once(kind: str, text: str) -> None:
    once, _ = code(text)
    assert code(once) == (once, [])


@pytest.mark.parametrize(("kind", "text"), FOUND)
def test_no_token_of_the_program_changes(kind: str, text: str) -> None:
    def tokens(source: str) -> list[str]:
        return mask(source + "\n").code.replace('"', " ").split()

    new, _ = code(text)
    assert tokens(new) == tokens(text)
    assert new.count('"') % 2 == text.count('"') % 2


@pytest.mark.parametrize(("kind", "text"), FOUND)
def test_what_was_found_is_found_among_other_code(kind: str, text: str) -> None:
    around = f'Процедура Выполнить()\n\t{text}\n\tСообщить("Готово");\nКонецПроцедуры\n'
    new, kinds = code(around)
    assert set(kinds) == {kind}
    assert new.startswith("Процедура Выполнить()\n\t")


def test_many_in_one_text_are_all_found_and_found_once() -> None:
    text = "\n".join(text for _, text in FOUND)
    new, kinds = code(text)
    assert set(kinds) == {kind for kind, _ in FOUND}
    assert len(kinds) >= len(FOUND)
    assert code(new) == (new, [])


def test_prose_is_looked_at_as_a_whole() -> None:
    text = "Отправляет письмо на kuznetsova@firma.su.\nАвтор: Анна Кузнецова"
    new, findings = redact(text, DETECTORS)
    assert new == "Отправляет письмо на <EMAIL>.\nАвтор: <PERSON>"
    assert [finding.kind for finding in findings] == ["email", "person"]


def test_a_kind_can_be_left_alone() -> None:
    kept = detectors(RedactionSettings(kept_kinds=("email", "person")))
    text = "Пишите на kuznetsova@firma.su, 85.143.12.7:80"
    assert redact(text, kept)[0] == "Пишите на kuznetsova@firma.su, <IP>:80"
