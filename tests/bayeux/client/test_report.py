"""The log lines of a client: level and words of each change."""

import logging

import pytest

from nameko_salesforce.bayeux.effects import BrakeChanged, ChannelChanged, StateChanged
from nameko_salesforce.bayeux.messages import Skipped
from nameko_salesforce.bayeux.report import Report
from nameko_salesforce.bayeux.transitions import ChannelState, State


class Log:
    """A report, its clock, and what it wrote since last asked."""

    def __init__(self, caplog):
        caplog.set_level(logging.INFO, 'nameko_salesforce.bayeux')
        self._caplog = caplog
        self.now = 100.0
        self.durable = False
        self.report = Report(lambda: 'http://x', lambda: self.now, lambda: self.durable)

    def move(self, old, new, why='why', failures=0, wait=None):
        self.report.state_changed(StateChanged(old, new, why, failures, wait))
        return self.lines()

    def channel(self, state, reason='', wait=None):
        self.report.channel_changed(ChannelChanged('/a', state, reason, wait))
        return self.lines()

    def lines(self):
        lines = [(each.levelname, each.getMessage()) for each in self._caplog.records]
        self._caplog.clear()
        return lines


@pytest.fixture
def log(caplog):
    return Log(caplog)


def test_a_broken_connection_says_when_and_how_it_is_tried_again(log):
    assert log.move(State.CONNECTED, State.RECONNECTING, 'connection lost', 1, 1.0) == [
        (
            'WARNING',
            'http://x: CONNECTED -> RECONNECTING: connection lost; failure 1, next attempt in 1.0 s, '
            'with the same session',
        )
    ]
    ((level, text),) = log.move(State.CONNECTING, State.PAUSING, 'connection lost', 3, 4.0)
    assert level == 'WARNING'
    assert text.endswith('failure 3, next attempt in 4.0 s, with a new session')


def test_one_attempt_is_one(log):
    log.move(State.CONNECTED, State.RECONNECTING, 'x', 1, 1.0)
    [(_, text)] = log.move(State.CONNECTING, State.CONNECTED)
    assert 'after 0.0 s and one failed attempt, with' in text


def test_what_was_missed_comes_again_where_all_channels_are_durable(log):
    log.durable = True
    log.move(State.CONNECTED, State.PAUSING, 'x', 1, 1.0)
    [(_, text)] = log.move(State.CONNECTING, State.CONNECTED)
    assert text.endswith('with a new session: what was published meanwhile comes again by replay')


def test_losses_are_counted_by_their_cause_once_each(log):
    for why in ('no answer: x within 3 s', 'no answer: x within 4 s', '403::Unknown client'):
        log.move(State.CONNECTED, State.PAUSING, why, 1, 1.0)
        log.move(State.CONNECTING, State.PAUSING, 'another cause on the way back', 2, 1.0)
        log.move(State.CONNECTING, State.CONNECTED)
    assert log.report.losses == {'no answer': 2, '403': 1}


@pytest.mark.parametrize(
    ('state', 'end'),
    [
        (State.RECONNECTING, 'after 30.0 s and 2 failed attempts, with the same session'),
        (
            State.PAUSING,
            'after 30.0 s and 2 failed attempts, with a new session: '
            'what was published meanwhile may be lost',
        ),
    ],
)
def test_the_way_back_is_told_as_loudly_as_the_loss(log, state, end):
    log.move(State.CONNECTED, state, 'x', 1, 1.0)
    log.now += 30
    log.move(State.CONNECTING, state, 'x', 2, 2.0)
    assert log.move(State.CONNECTING, State.CONNECTED) == [
        ('WARNING', f'http://x: CONNECTING -> CONNECTED: connected again {end}')
    ]
    assert log.move(State.CONNECTING, State.CONNECTED)[0][0] == 'INFO'


def test_the_first_connection_is_no_news_of_an_outage(log):
    assert log.move(State.CONNECTING, State.CONNECTED, 'connect answered') == [
        ('INFO', 'http://x: CONNECTING -> CONNECTED: connect answered')
    ]


def test_giving_up_is_an_error_that_says_what_it_means(log):
    ((level, text),) = log.move(State.CONNECTED, State.HALTED, 'the server advised to stop')
    assert level == 'ERROR'
    assert 'given up: the server advised to stop. No further attempt is made, and no event comes' in text


@pytest.mark.parametrize('old', [State.DISCONNECTING, State.PAUSING])
def test_a_stop_is_no_error(log, old):
    assert log.move(old, State.HALTED, 'stopped')[0][0] == 'INFO'


def test_steps_between_are_for_those_who_debug(log):
    assert log.move(State.IDLE, State.PREPARING) == []
    assert log.move(State.PREPARING, State.HANDSHAKING) == []


def test_a_refused_channel_says_why_and_when_it_is_tried_again(log):
    assert log.channel(ChannelState.REFUSED, '403:x:no', 2.0) == [
        ('WARNING', 'http://x: channel /a is refused: 403:x:no; next attempt in 2.0 s')
    ]


def test_a_channel_that_lost_its_session_waits_unless_all_is_over(log):
    assert log.channel(ChannelState.WANTED, 'connection lost') == [
        ('INFO', 'http://x: channel /a waits to be subscribed: connection lost')
    ]
    log.move(State.CONNECTED, State.HALTED, 'x')
    assert log.channel(ChannelState.WANTED, 'x') == []


@pytest.mark.parametrize('state', [ChannelState.ACTIVE, ChannelState.GONE])
def test_a_settled_channel_is_told(log, state):
    assert log.channel(state) == [('INFO', f'http://x: channel /a is {state.value}')]


@pytest.mark.parametrize(('channel', 'named'), [('/a', '/a'), (None, 'an unknown channel')])
def test_a_skipped_message_names_its_channel_size_and_reason(log, channel, named):
    log.report.skipped(Skipped(99, 'too long', channel))
    assert log.lines() == [
        ('ERROR', f'http://x: a message of 99 characters on {named} was skipped: too long')
    ]


def test_a_short_brake_is_ordinary_life_and_a_long_one_is_not(log):
    log.report.brake_changed(BrakeChanged(True, False, 0.0))
    log.report.brake_changed(BrakeChanged(False, False, 3.0))
    assert log.lines() == []
    log.report.brake_changed(BrakeChanged(True, True, 7.0))
    log.report.brake_changed(BrakeChanged(False, False, 20.0))
    assert log.lines() == [
        ('WARNING', 'http://x: braked for 7.0 s: polls go on; durable channels, if any, are paused'),
        ('WARNING', 'http://x: released after 20.0 s'),
    ]


def test_a_paused_channel_says_why(log):
    assert log.channel(ChannelState.PAUSED, 'more events come than are handled') == [
        ('INFO', 'http://x: channel /a is paused: more events come than are handled')
    ]
