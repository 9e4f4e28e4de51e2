"""What strangers may send instead of a dump's XML. Every case is one rejected file, never a crash."""

import pytest

from ai_stack_assets.domain.onec import xml
from ai_stack_assets.domain.onec.model import Rejection
from ai_stack_assets.domain.onec.reader import parse_file
from ai_stack_assets_tests.domain.onec.designer_xml import metadata, typed


def rejection_of(data, role="object"):
    with pytest.raises(Rejection) as rejection:
        parse_file("designer", role, data)
    return rejection.value


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "cp1251", "utf-8"])
def test_other_encodings_are_read_properly(encoding):
    declared = (
        "utf-16" if encoding.startswith("utf-16") else "windows-1251" if encoding == "cp1251" else encoding
    )
    source = metadata("Catalog", "Валюты").lstrip("\ufeff").replace("UTF-8", declared)
    assert parse_file("designer", "object", source.encode(encoding)).name == "Валюты"


def test_broken_xml_tells_where():
    rejection = rejection_of("<MetaDataObject>\n<Catalog>\n</Справочник>".encode())
    assert (rejection.reason, rejection.line) == ("broken_xml", 3)
    assert rejection.column is not None and "Catalog" in rejection.message


@pytest.mark.parametrize(
    "data", [b"", b"   ", b"\xef\xbb\xbf", b"\x00\x01\x02", b"not xml", b"\xff\xfe\x00", b"<\x00"]
)
def test_what_is_no_xml_is_rejected(data):
    assert rejection_of(data).reason == "broken_xml"


BOMB = """<?xml version="1.0"?><!DOCTYPE b [<!ENTITY a "ааааааааааaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;">
<!ENTITY c "&b;&b;&b;&b;&b;&b;&b;&b;&b;&b;"><!ENTITY d "&c;&c;&c;&c;&c;&c;&c;&c;&c;&c;">]><b>&d;</b>"""


@pytest.mark.parametrize(
    "source",
    [
        BOMB,
        '<!DOCTYPE x SYSTEM "http://127.0.0.1:1/evil.dtd"><x/>',
        '<?xml version="1.0"?><!-- c --><!DOCTYPE x [<!ENTITY f SYSTEM "file:///etc/passwd">]><x>&f;</x>',
    ],
)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_a_dtd_is_refused_before_any_entity_is_looked_at(source, encoding):
    assert rejection_of(source.encode(encoding)).reason == "unsafe_xml"


def test_the_word_doctype_in_text_is_no_dtd():
    source = metadata("Catalog", "В", "<Comment><![CDATA[<!DOCTYPE html>]]></Comment>")
    assert parse_file("designer", "object", source.encode()).comment == "<!DOCTYPE html>"


def test_an_unknown_entity_is_rejected():
    assert rejection_of(b"<MetaDataObject>&xxe;</MetaDataObject>").reason == "broken_xml"


def test_a_huge_file_is_refused_unparsed(monkeypatch):
    monkeypatch.setattr(xml, "MAX_BYTES", 1000)
    assert rejection_of(b"<a>" + b" " * 1000).reason == "too_large"


def test_depth_without_end_is_rejected_not_a_crash():
    assert rejection_of(b"<a>" * 100_000).reason == "broken_xml"


def test_a_russian_namespace_is_read_though_it_is_no_uri():
    attribute = (
        '<Attribute uuid="1"><Properties><Name>А</Name>' + typed("xs:string") + "</Properties></Attribute>"
    )
    source = metadata("Catalog", "В", children=attribute).replace(
        "<Catalog ", '<Catalog xmlns:d1="http://обмен/данные" '
    )
    assert parse_file("designer", "object", source.encode()).children[0].name == "А"
    assert rejection_of(source.replace("</Catalog>", "").encode()).reason == "broken_xml"


def test_names_are_data_whatever_they_hold():
    name = "x'); DROP TABLE objects; -- `{}[].*"
    source = metadata("Catalog", name.replace("'", "&apos;"))
    assert parse_file("designer", "object", source.encode()).name == name
