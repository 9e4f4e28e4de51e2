"""What a source is called when nobody gave it a name, and what is never written down."""

import pytest

from ai_stack_assets.cli.targets import name_of, targets
from ai_stack_assets.domain.common.failures import PermanentError


@pytest.mark.parametrize(
    ("source", "name"),
    [
        ("https://host/group/trade.git@main", "trade"),
        ("git@host:group/trade.git", "trade"),
        ("/home/me/trade/src/cf", "trade"),
        ("dump.zip", "dump"),
        ("/home/me/Торговля.zip", "Торговля"),
    ],
)
def test_a_name_is_taken_from_what_tells_most(source, name):
    assert name_of(source) == name


def test_a_token_in_an_address_is_never_written_down(tmp_path, monkeypatch):
    file = tmp_path / "configurations.yaml"
    file.write_text("configurations:\n")
    monkeypatch.setenv("AI_STACK_ASSETS_CONFIGURATIONS", str(file))
    with pytest.raises(PermanentError, match="leave it out of the address") as refused:
        targets("https://TOKEN@host/trade.git", None, terminal=None)
    assert "TOKEN" not in str(refused.value)
    assert file.read_text() == "configurations:\n"
