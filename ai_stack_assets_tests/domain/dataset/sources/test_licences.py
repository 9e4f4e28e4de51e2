"""Licences from texts, by folder, and against an allow-list."""

import pytest
from identify.vendor.licenses import LICENSES

from ai_stack_assets.domain.dataset.sources import licences
from ai_stack_assets_tests.domain.dataset.sources.repositories import MIT

TEXTS = dict(LICENSES)


@pytest.mark.parametrize("name", sorted(TEXTS))
def test_every_known_text_is_recognised_whatever_its_layout(name):
    reflowed = "# " + "\n\n".join(" ".join(part.split()) for part in TEXTS[name].split("\n\n")).upper()
    assert licences.recognise(reflowed) == name


@pytest.mark.parametrize(
    ("text", "name"),
    [
        (MIT, "MIT"),
        ("SPDX-License-Identifier: MPL-2.0\n", "MPL-2.0"),
        ("Распространяется по лицензии http://creativecommons.org/licenses/by/4.0/deed.ru", "CC-BY-4.0"),
        ("Использование по лицензионному соглашению с фирмой «1С»", "LicenseRef-1C"),
        ("All rights reserved.", "NOASSERTION"),
        ("", "NOASSERTION"),
        (MIT + "\n“Commons Clause” License Condition: the right to Sell is not granted.", "NOASSERTION"),
        (MIT + "\nOnly for non-commercial use.", "NOASSERTION"),
        (MIT + TEXTS["GPL-3.0"], "GPL-3.0"),
    ],
)
def test_short_own_and_altered_texts(text, name):
    assert licences.recognise(text) == name


def test_the_closest_licence_above_a_file_holds():
    found = licences.by_folder({"LICENSE": MIT, "lib/x/LICENSE.md": TEXTS["GPL-3.0"], "lib/x/COPYING": MIT})
    assert found == {"": "MIT", "lib/x": "GPL-3.0 AND MIT"}
    assert licences.nearest("lib/x/src/a.bsl", found, "?") == "GPL-3.0 AND MIT"
    assert licences.nearest("lib/a.bsl", found, "?") == "MIT"
    assert licences.nearest("lib/a.bsl", {}, "?") == "?"


def test_a_choice_beside_another_licence_does_not_allow_to_ignore_that_one():
    choice = "SPDX-License-Identifier: Apache-2.0 OR MIT"
    found = licences.by_folder({"LICENSE": choice, "COPYING": TEXTS["GPL-3.0"], "lib/LICENSE": choice})
    assert found == {"": "(Apache-2.0 OR MIT) AND GPL-3.0", "lib": "Apache-2.0 OR MIT"}
    allowed = {folder: licences.is_allowed(name, licences.PERMISSIVE) for folder, name in found.items()}
    assert allowed == {"": False, "lib": True}


def test_a_declaration_is_read_with_its_parentheses():
    text = "SPDX-License-Identifier: MIT AND (GPL-2.0 OR GPL-3.0)\n"
    assert licences.recognise(text) == "MIT AND (GPL-2.0 OR GPL-3.0)"


@pytest.mark.parametrize(
    ("licence", "is_allowed"),
    [
        ("MIT", True),
        ("mit", True),
        ("GPL-3.0 AND MIT", False),
        ("GPL-3.0 OR MIT", True),
        ("(Apache-2.0 OR MIT) AND GPL-3.0", False),
        ("(GPL-3.0 OR MIT) AND ((BSD-3-Clause AND ISC) OR GPL-3.0)", True),
        ("MIT OR (GPL-3.0", False),
        ("MIT AND ", False),
        ("NOASSERTION", False),
        ("LicenseRef-1C", False),
    ],
)
def test_only_the_allow_list_is_published(licence, is_allowed):
    assert licences.is_allowed(licence, licences.PERMISSIVE) is is_allowed


@pytest.mark.parametrize(
    "name", ["LICENSE", "licence.md", "COPYING", "COPYING.LESSER", "LICENSE-MIT", "UNLICENSE", "Лицензия.txt"]
)
def test_files_that_state_a_licence(name):
    assert licences.FILE_NAME.match(name)


@pytest.mark.parametrize("name", ["License.bsl", "ЛицензияПроверка.bsl", "LICENSED", "license.xml"])
def test_files_that_only_look_so(name):
    assert not licences.FILE_NAME.match(name)
