"""Samples in a page, the text that explains them, and what only looks like code."""

import pytest

from ai_stack_assets.domain.dataset.sources.its_articles import NotHtml, is_bsl, read_article

URL = "https://its.example.com/db/v8std/content/1/hdoc"


def article(html: str, content_type: str = "text/html; charset=utf-8"):
    return read_article(html.encode(), URL, content_type)


def test_a_sample_has_the_articles_title_and_the_text_before_it():
    found = article("""<html><head><title>Сайт</title></head><body><nav>Меню</nav><h1>Запросы в цикле</h1>
        <p>Не выполняйте запросы в цикле.</p><p>Правильно:</p>
        <pre>Для Каждого Строка Из Товары Цикл
    Строка.Сумма = 0;
КонецЦикла;</pre><p>И ещё:</p><pre>Возврат Новый Массив;</pre><p>Конец.</p></body></html>""")
    assert found.title == "Запросы в цикле"
    first, second = found.samples
    assert first.code == "Для Каждого Строка Из Товары Цикл\n    Строка.Сумма = 0;\nКонецЦикла;"
    assert first.description == "Не выполняйте запросы в цикле.\nПравильно:"
    assert second.description == "И ещё:"


def test_a_sample_without_text_before_it_takes_the_text_after():
    found = article("<body><pre>Сообщить(ТекущаяДата());</pre><p>Выводит дату.</p></body>")
    assert found.samples[0].description == "Выводит дату."


def test_markup_inside_of_code_is_no_part_of_it():
    html = (
        "<body><pre><font color='blue'>Процедура</font>&nbsp;А()<br>&nbsp;&nbsp;Б = &quot;&lt;&gt;&quot;;<br>"
        "<span>КонецПроцедуры</span></pre><pre><code>Если А Тогда\r\n\tБ();\r\nКонецЕсли;</code></pre></body>"
    )
    assert [sample.code for sample in article(html).samples] == [
        'Процедура А()\n  Б = "<>";\nКонецПроцедуры',
        "Если А Тогда\n\tБ();\nКонецЕсли;",
    ]


def test_a_name_in_a_sentence_is_no_sample_and_stays_in_the_text():
    found = article(
        "<body><p>Метод <code>Найти()</code> медленный.</p><pre>Возврат Новый Массив;</pre></body>"
    )
    assert found.samples[0].description == "Метод Найти() медленный."


@pytest.mark.parametrize("encoding", ["utf-8", "cp1251"])
def test_the_encoding_is_the_servers_or_the_pages_own(encoding):
    html = "<html><head><meta charset='{}'></head><body><pre>Возврат Новый Массив;</pre></body></html>"
    named = "windows-1251" if encoding == "cp1251" else encoding
    body = html.format(named).encode(encoding)
    assert read_article(body, URL, "text/html").samples[0].code == "Возврат Новый Массив;"
    body = html.format("").encode(encoding)
    assert read_article(body, URL, f"text/html; charset={named}").samples[0].code == "Возврат Новый Массив;"


@pytest.mark.parametrize(
    "code",
    [
        "Процедура А()\nКонецПроцедуры",
        "&НаКлиенте\nПроцедура А()",
        'Запрос = Новый Запрос;\nЗапрос.Текст = "ВЫБРАТЬ 1";',
        'Справочники.Валюты.НайтиПоКоду("840");',
        "If A Then\n\tB();\nEndIf;",
    ],
)
def test_bsl_is_known_by_its_words_or_its_statements(code):
    assert is_bsl(code)


@pytest.mark.parametrize(
    "code",
    [
        "",
        "Найти()",
        '<Form xmlns="x"><Если>Тогда</Если></Form>',
        '{"Если": "Тогда", "Возврат": 1}',
        "ВЫБРАТЬ Код КАК Код ИЗ Справочник.Валюты",
        "public class A { void b() { return; } }",
        "SELECT a FROM b WHERE c = 1;",
        "// Если, Тогда, КонецЕсли: только комментарий",
        "1cv8.exe DESIGNER /F base /DumpCfg",
        "for i in range(3):\n    print(i)",
    ],
)
def test_other_languages_and_scraps_are_not_bsl(code):
    assert not is_bsl(code)


def test_links_and_frames_are_absolute_and_once_each():
    found = article(
        "<body><a href='../2/hdoc#x'>a</a><a href='../2/hdoc'>b</a><a href='javascript:void(0)'>c</a>"
        "<a href='http://[bad'>d</a><iframe src='/db/content/v8std/src/1.htm'></iframe></body>"
    )
    assert found.links == ["https://its.example.com/db/v8std/content/2/hdoc"]
    assert found.frames == ["https://its.example.com/db/content/v8std/src/1.htm"]


@pytest.mark.parametrize(
    ("body", "kind"), [(b"", "text/html"), (b"%PDF-1.4", "application/pdf"), (b"   ", "text/html")]
)
def test_what_is_no_page_is_named_so(body, kind):
    with pytest.raises(NotHtml):
        read_article(body, URL, kind)
