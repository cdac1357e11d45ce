"""Pauses and rests, by what happened before. How the session uses them: test_session.py."""

import pytest

from nameko_salesforce.bayeux.advice import Advice
from nameko_salesforce.bayeux.backoff import Backoff
from nameko_salesforce.bayeux.effects import Lane
from nameko_salesforce.bayeux.exchanges import Exchange
from nameko_salesforce.bayeux.pace import Pace
from nameko_salesforce.bayeux.policy import Action, Verdict
from nameko_salesforce.bayeux.transitions import Input

NONE = Advice()


@pytest.fixture
def pace():
    return Pace(Backoff(spread=0.0), lambda: 0.0, handshake_distance=5.0)


def poll(sent_at, events=False):
    return Exchange(1, Lane.POLL, {}, sent_at, brought_events=events)


def after(pace, action, now=1000.0, has_session=True, advice=NONE, pause=0.0):
    return pace.after(Verdict(action, 'x', pause), advice, has_session, now)


def test_pauses_between_tries_of_a_session_grow(pace):
    assert [after(pace, Action.RETRY) for _ in range(4)] == [(Input.RETRY, each) for each in (1, 2, 4, 8)]


def test_the_first_new_session_comes_at_once_and_the_next_ones_back_off(pace):
    assert [after(pace, Action.HANDSHAKE)[1] for _ in range(4)] == [0, 2, 4, 8]


def test_a_login_pauses_like_a_new_session(pace):
    assert after(pace, Action.LOGIN) == (Input.LOGIN, 0.0)


def test_a_halt_waits_for_nothing(pace):
    assert after(pace, Action.HALT, pause=60.0) == (Input.HALT, 0.0)


@pytest.mark.parametrize('action', [Action.RETRY, Action.HANDSHAKE, Action.LOGIN])
def test_what_the_verdict_or_the_server_asks_for_is_the_least(pace, action):
    assert after(pace, action, pause=40.0)[1] == 40
    assert after(pace, action, advice=Advice(interval=50.0))[1] == 50


@pytest.mark.parametrize(
    ('action', 'has_session'), [(Action.HANDSHAKE, True), (Action.LOGIN, True), (Action.RETRY, False)]
)
def test_handshakes_keep_their_distance(pace, action, has_session):
    pace.handshake_sent(999.0)
    assert after(pace, action, has_session=has_session)[1] == 4


def test_a_session_that_the_server_has_forgotten_by_then_is_not_tried_again(pace):
    pace.session_begun(980.0)
    assert after(pace, Action.RETRY, advice=Advice(timeout=10.0, max_interval=20.0))[0] is Input.RETRY
    assert after(pace, Action.RETRY, advice=Advice(timeout=10.0, max_interval=5.0))[0] is Input.HANDSHAKE


def test_only_the_second_good_connect_in_a_row_resets_the_count(pace):
    after(pace, Action.RETRY)
    pace.connect_good()
    assert pace.failures == 1
    after(pace, Action.RETRY)
    pace.connect_good()
    assert pace.failures == 2
    pace.connect_good()
    assert pace.failures == 0


def test_a_rest_is_what_the_server_advises(pace):
    assert pace.rest(NONE) == 0
    assert pace.rest(Advice(interval=2.0)) == 2


@pytest.mark.parametrize(
    ('last', 'rest'),
    [(poll(999.99), 1.0), (poll(999.99, events=True), 0.0), (poll(999.0), 0.0)],
    ids=['idle again', 'an event', 'held'],
)
def test_after_ten_polls_answered_at_once_with_nothing_they_keep_a_distance(pace, last, rest):
    for _ in range(9):
        pace.connect_answered(poll(999.99), 1000.0)
    assert pace.rest(NONE) == 0
    pace.connect_answered(last, 1000.0)
    assert pace.rest(NONE) == rest
