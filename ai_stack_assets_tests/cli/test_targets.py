"""What a source is called when nobody gave it a name."""

import pytest

from ai_stack_assets.cli.targets import name_of


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
