"""The options fit together."""

from nameko_salesforce.bayeux.options import SessionOptions

COMETD_MAX_INTERVAL = 10.0  # seconds, its default


def test_a_poll_that_was_braked_for_longest_still_comes_in_time():
    assert SessionOptions().longest_brake < COMETD_MAX_INTERVAL - 2


def test_nothing_about_an_answer_takes_longer_than_the_answer_to_a_poll():
    options = SessionOptions()
    assert options.disconnect_timeout < options.network_allowance < options.assumed_hold
