"""Ids of 15 and of 18 characters."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nameko_salesforce.ids import full_id

SHORT = st.text('ABCDXYZabcdxyz0189', min_size=15, max_size=15)


@pytest.mark.parametrize(
    ('short', 'full'),
    [
        ('00Dx0000000BV7z', '00Dx0000000BV7zEAG'),
        ('005x00000012Q9P', '005x00000012Q9PAAU'),
        # Salesforce's placeholder in overflow events.
        ('000000000000000', '000000000000000AAA'),
        # A documented record, with the suffix that Salesforce gave it.
        ('a00D0000008o6y8', 'a00D0000008o6y8IAA'),
    ],
)
def test_fifteen_characters_become_eighteen(short, full):
    assert full_id(short) == full
    assert full_id(full) == full


@given(SHORT, SHORT)
def test_ids_that_differ_in_case_alone_differ_without_case_once_they_are_full(one, other):
    if one != other:
        assert full_id(one).lower() != full_id(other).lower()


@pytest.mark.parametrize(
    'text', ['', '005', '0' * 16, '0' * 17, '0' * 19, '00Dx0000000BV7!', '0' * 14 + 'é', '0' * 15 + '\n']
)
def test_what_is_no_id_is_refused(text):
    with pytest.raises(ValueError):
        full_id(text)
