"""Pauses after failures."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nameko_salesforce.bayeux.backoff import Backoff

FAILURES = st.integers(1, 10_000)
JITTER = st.floats(0, 1, exclude_max=True)


def test_pauses_double_up_to_the_cap():
    backoff = Backoff(spread=0.0)
    assert [backoff.delay(n, 0.0) for n in range(1, 9)] == [1, 2, 4, 8, 16, 32, 60, 60]


@given(FAILURES, JITTER)
def test_a_pause_lies_between_its_jittered_half_and_the_cap(failures, jitter):
    assert 0.5 <= Backoff().delay(failures, jitter) <= 60


@given(FAILURES, JITTER)
def test_a_pause_never_shrinks_with_another_failure(failures, jitter):
    assert Backoff().delay(failures + 1, jitter) >= Backoff().delay(failures, jitter)


def test_a_pause_without_a_failure_is_a_mistake():
    with pytest.raises(ValueError, match='failures is 0'):
        Backoff().delay(0, 0.0)


@pytest.mark.parametrize(
    'wrong', [{'first': -1.0}, {'factor': 0.5}, {'first': 5.0, 'cap': 1.0}, {'spread': 1.5}]
)
def test_a_backoff_that_could_not_grow_is_refused(wrong):
    with pytest.raises(ValueError, match='needs first >= 0'):
        Backoff(**wrong)
