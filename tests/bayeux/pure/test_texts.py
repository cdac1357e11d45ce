"""How values stand in texts for people."""

import pytest

from nameko_salesforce.bayeux.texts import shown


def deep():
    made = []
    for _ in range(100_000):
        made = [made]
    return made


class Rude:
    def __repr__(self):
        raise KeyError('no')


@pytest.mark.parametrize(
    ('value', 'said'),
    [
        (None, 'None'),
        ('\ud800', r"'\ud800'"),
        ('x' * 98, repr('x' * 98)),
        ('x' * 99, "'" + 'x' * 96 + '...'),
        (10**5000, 'a int that cannot be shown'),
        (deep(), 'a list that cannot be shown'),
        (Rude(), 'a Rude that cannot be shown'),
    ],
    ids=['None', 'surrogate', 'fits', 'long', 'digits', 'deep', 'raises'],
)
def test_any_value_is_shown_in_a_hundred_characters(value, said):
    assert shown(value) == said
