from random import Random

import pytest
from fake_salesforce.org.ids import IdMaker, base_62, is_id, long_id
from hypothesis import given
from hypothesis import strategies as st

SHORT = st.text('0123456789ABCXYZabcxyz', min_size=15, max_size=15)


@pytest.mark.parametrize(
    ('short', 'suffix'),
    [
        # From the samples of Salesforce's documentation.
        ('a00D0000008o6y8', 'IAA'),
        ('0015f00002JUXA8', 'AAP'),
        ('0055f000005mc66', 'AAA'),
        ('005T1000000Hjlb', 'IAC'),
        ('001T1000001nI4j', 'IAE'),
    ],
)
def test_the_suffix_is_that_of_salesforce(short, suffix):
    assert long_id(short) == short + suffix


@given(SHORT)
def test_the_long_form_is_stable_and_differs_even_where_case_is_ignored(short):
    full = long_id(short)
    assert len(full) == 18
    assert long_id(full) == full
    assert is_id(full)
    assert is_id(short)
    other = short.swapcase()
    if other != short:
        assert long_id(other).lower() != full.lower()


@pytest.mark.parametrize(
    'text', ['', None, 5, 'a' * 14, 'a' * 16, 'a' * 17, '-' * 15, 'a' * 15 + 'AA6', 'a' * 18]
)
def test_other_things_are_no_ids(text):
    assert not is_id(text)


def test_a_wrong_suffix_is_no_id():
    assert not is_id('a00D0000008o6y8AAA')
    with pytest.raises(ValueError, match='is not an id'):
        long_id('a00D0000008o6y8AAA')


def test_made_ids_have_the_prefix_and_never_repeat():
    maker = IdMaker(Random(3))
    made = [maker.next(prefix) for prefix in ('003', '001', '003') for _ in range(100)]
    assert len(set(made)) == len({each.lower() for each in made}) == 300
    assert all(is_id(each) for each in made)
    assert [each[:3] for each in made] == ['003'] * 100 + ['001'] * 100 + ['003'] * 100
    assert len({each[3:6] for each in made}) == 1  # one instance


def test_the_same_chance_makes_the_same_ids():
    assert IdMaker(Random(3)).next('003') == IdMaker(Random(3)).next('003')


def test_numbers_to_base_62_keep_their_width():
    assert [base_62(each, 2) for each in (0, 9, 10, 61, 62, 3843)] == ['00', '09', '0A', '0z', '10', 'zz']
