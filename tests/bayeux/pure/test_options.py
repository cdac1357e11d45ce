"""The options fit together."""

import math

import pytest

from nameko_salesforce.bayeux.options import LARGEST_COUNT, LONGEST_WAIT, SessionOptions, is_count, is_wait

COMETD_MAX_INTERVAL = 10.0  # seconds, its default


def test_a_poll_that_was_braked_for_longest_still_comes_in_time():
    assert SessionOptions().longest_brake < COMETD_MAX_INTERVAL - 2


def test_nothing_about_an_answer_takes_longer_than_the_answer_to_a_poll():
    options = SessionOptions()
    assert options.disconnect_timeout < options.network_allowance < options.assumed_hold


@pytest.mark.parametrize('value', [0, 0.5, 604_800, LONGEST_WAIT])
def test_what_can_be_waited(value):
    assert is_wait(value)


@pytest.mark.parametrize(
    'value',
    [-0.1, 604_801, 1e308, 10**400, math.inf, math.nan, True, None, '1'],
    ids=lambda each: str(each)[:9],
)
def test_what_cannot_be_waited(value):
    assert not is_wait(value)


@pytest.mark.parametrize(('value', 'good'), [(1, True), (LARGEST_COUNT, True), (0, False), (2**31, False)])
def test_what_can_be_counted(value, good):
    assert is_count(value) is good
    assert not is_count(float(value))
    assert not is_count(True)
