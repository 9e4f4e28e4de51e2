"""`configurations.yaml`: what it may say, how faults are told, how entries are added."""

from pathlib import Path

import pytest

from ai_stack_assets.domain.common.failures import PermanentError
from ai_stack_assets.domain.onec.configurations import ConfigurationEntry, add, load


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "configurations.yaml"


def entries(file: Path, text: str) -> list[ConfigurationEntry]:
    file.write_text(text, encoding="utf-8")
    return load(file)


def faults(file: Path, text: str) -> str:
    with pytest.raises(PermanentError) as refusal:
        entries(file, text)
    return str(refusal.value)


def listed(**keys: str) -> str:
    lines = "\n    ".join(f"{key}: {value}" for key, value in ({"name": "a", "source": "b"} | keys).items())
    return f"configurations:\n  - {lines}\n"


def test_an_entry_has_all_that_is_written(file):
    found = entries(
        file,
        "configurations:\n"
        "  - name: Торговля-2.1\n    source: git@host:trade.git@main\n    path: src/cf\n"
        "    schedule: 0 */6 * * 1-5\n"
        "    owner: team:trade\n    description: Первая\n    enabled: false\n"
        "  - name: demo\n    source: samples/demo\n",
    )
    assert found == [
        ConfigurationEntry(
            "Торговля-2.1",
            "git@host:trade.git@main",
            "src/cf",
            "0 */6 * * 1-5",
            "team:trade",
            "Первая",
            False,
        ),
        ConfigurationEntry("demo", "samples/demo"),
    ]
    assert [entry.line for entry in found] == [2, 9]


@pytest.mark.parametrize("text", ["", "# nothing yet\n", "configurations:\n", "configurations: []\n"])
def test_a_list_may_be_empty(file, text):
    assert entries(file, text) == []


def test_a_relative_source_starts_at_the_file(file):
    for source, location in (
        ("samples/demo", str(file.parent / "samples/demo")),
        ("repository@main", str(file.parent / "repository@main")),
        ("dump.zip", str(file.parent / "dump.zip")),
        ("/srv/dump", "/srv/dump"),
        ("https://host/a.git@main", "https://host/a.git@main"),
        ("git@host:a.git", "git@host:a.git"),
    ):
        assert entries(file, listed(source=source))[0].location == location


def test_a_missing_file_says_what_to_do(file):
    with pytest.raises(PermanentError, match="does not exist: list your configurations there"):
        load(file)


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("configurations:\n  - name: a\n   source: b\n", "line 3: no valid YAML"),
        ("- name: a\n", "line 1: expected `configurations:` and a list below it"),
        ("configurations:\n  name: a\n", "line 2: `configurations` must be a list"),
        ("configuration:\n  - name: a\n", "line 1: unknown key 'configuration'"),
        ("configurations:\n  - a\n", "line 2: an entry must have keys"),
        ("configurations:\n  - name: a\n", "line 2: the entry has no `source`"),
        ("configurations:\n  - source: b\n    name:\n", "line 2: the entry has no `name`"),
        (listed(shedule="x"), "line 4: unknown key 'shedule'; did you mean 'schedule'?"),
        (listed(source="[x, y]"), "line 3: 'source' must be a single value"),
        (listed() + "    name: c\n", "line 4: 'name' is given twice"),
        (listed(enabled="sometimes"), "line 4: 'enabled' must be true or false, not 'sometimes'"),
        (listed(source="ftp://host/x"), "line 3: source 'ftp://host/x': ftp:// is no source"),
        (listed(path="../other"), "line 4: path '../other': must be a folder inside the source"),
        (listed(owner="Иван"), "line 4: owner 'Иван': must be `team:<name>` or an e-mail address"),
        (listed(schedule='"* * *"'), "five fields"),
        (listed(schedule='"61 * * * *"'), "'61' is no minute (0–59)"),
        (listed(schedule='"0 0 * sun *"'), "'sun' is no month (1–12)"),
    ],
)
def test_a_fault_is_told_with_its_line(file, text, fault):
    assert fault in faults(file, text)


@pytest.mark.parametrize("cron", ["* * * * *", "*/15 0-6,12 1 jan-mar mon,fri", "@daily", "0 22 * * 7"])
def test_a_schedule_is_a_cron_expression(file, cron):
    assert entries(file, listed(schedule=f'"{cron}"'))[0].schedule == cron


@pytest.mark.parametrize(
    "name", ["../a", ".hidden", "a/b", "a b", "a..b", "a.", "-a", "a'; drop", "я" * 81, "a\\b"]
)
def test_a_name_that_is_no_partition_key_is_refused(file, name):
    assert "line 2: name" in faults(file, listed(name=f'"{name}"'.replace("\\", "\\\\")))


def test_names_that_differ_by_case_are_the_same(file):
    said = faults(file, listed(name="Trade") + "  - name: trade\n    source: c\n")
    assert said == (
        "configurations.yaml, line 4: the name 'trade' is taken in line 2 as 'Trade': "
        "names that differ only by case are the same"
    )


def test_all_faults_are_told_at_once_and_no_password(file):
    said = faults(file, listed(name='"a b"', source="https://u:secret@host/x.zip", owner="me"))
    assert [line.split(":")[0] for line in said.split("\n")] == [
        f"configurations.yaml, line {n}" for n in (2, 3, 4)
    ]
    assert "secret" not in said


def test_aliases_of_yaml_cannot_blow_it_up(file):
    bomb = "a: &a [x]\n" + "".join(
        f"{chr(98 + n)}: &{chr(98 + n)} [*{chr(97 + n)}, *{chr(97 + n)}]\n" for n in range(20)
    )
    assert "unknown key 'a'" in faults(file, bomb)


# ---- adding


def test_an_added_entry_stands_behind_the_others_and_comments_stay(file):
    text = "# ours\nconfigurations:\n  # first\n  - name: a # the first\n    source: b\n\n# the end\n"
    file.write_text(text, encoding="utf-8")
    add(
        file,
        ConfigurationEntry("б", "git@host:x.git@main", path="src", schedule="0 1 * * *", description="x: y"),
    )
    assert file.read_text(encoding="utf-8") == text.replace(
        "\n\n# the end",
        "\n  - name: б\n    source: git@host:x.git@main\n    path: src\n"
        "    schedule: 0 1 * * *\n    description: 'x: y'\n\n# the end",
    )


@pytest.mark.parametrize(
    "text",
    [
        None,
        "",
        "# mine\n",
        "configurations:\n",
        "configurations: []\n",
        "configurations:\n- name: a\n  source: b\n",
    ],
)
def test_an_entry_can_be_added_to_any_list(file, text):
    if text is not None:
        file.write_text(text, encoding="utf-8")
    add(file, ConfigurationEntry("new", "source", enabled=False))
    assert load(file)[-1] == ConfigurationEntry("new", "source", enabled=False)
    assert (text or "").startswith("#") == file.read_text(encoding="utf-8").startswith("#")


@pytest.mark.parametrize("name", ["A", "bad name"])
def test_an_entry_that_is_wrong_or_taken_changes_nothing(file, name):
    before = listed()
    file.write_text(before, encoding="utf-8")
    with pytest.raises(PermanentError):
        add(file, ConfigurationEntry(name, "source"))
    assert file.read_text(encoding="utf-8") == before
    assert list(file.parent.iterdir()) == [file]


def test_a_list_in_brackets_is_left_to_people(file):
    file.write_text("configurations: [{name: a, source: b}]\n", encoding="utf-8")
    with pytest.raises(PermanentError, match="written in brackets"):
        add(file, ConfigurationEntry("c", "d"))
