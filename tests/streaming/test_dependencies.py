"""What no container shows of the dependencies; all else is in integration/test_streaming_status.py."""

import math
from types import SimpleNamespace

import eventlet
import pytest

from nameko_salesforce.replay.memory_store import MemoryStore
from nameko_salesforce.replay.store import DeadLetter
from nameko_salesforce.streaming.channel import Channel
from nameko_salesforce.streaming.dependencies import LetterBox
from nameko_salesforce.streaming.handling import HandlerOptions
from nameko_salesforce.streaming.reruns import Reruns
from nameko_salesforce.streaming.resume import Rules

CHANNEL = '/event/Low_Ink__e'


class Runner:
    """The seam to the runner: begins nothing."""

    def __init__(self):
        options = HandlerOptions(name='ink')
        rules = Rules(channel=CHANNEL, retention=1.0, greatest_age=1.0)
        self.channels = [Channel(rules, {'ink': SimpleNamespace(handler=options)}, [options], lambda: 0.0)]
        self.reruns = Reruns()
        self.arrivals = []

    def again(self, channel, handler, event):
        self.arrivals.append(channel.work.again(event, handler, 0.0))
        return self.reruns.add(self.arrivals[-1])

    def end(self, *, failed):
        for each in self.arrivals:
            if failed:
                self.reruns.failed(each.event)
            each.unfinished = 0
        self.reruns.settle()


@pytest.fixture
def runner():
    return Runner()


@pytest.fixture
def store():
    return MemoryStore()


@pytest.fixture
def letter(store):
    store.add_dead_letter(
        DeadLetter(
            channel=CHANNEL,
            handler='ink',
            data={'event': {'replayId': 9}},
            replay_id=9,
            error_type='ValueError',
            error='no ink',
            attempts=3,
            first_at=1.0,
            last_at=2.0,
        )
    )
    [letter] = store.dead_letters()
    return letter


@pytest.fixture
def asking(runner, store, letter, until):
    box = LetterBox(SimpleNamespace(runner=runner, positions=SimpleNamespace(store=store)))
    thread = eventlet.spawn(box.run_again, letter.number)
    until('the event to be taken on', lambda: runner.arrivals)
    return thread


@pytest.mark.parametrize('failed', [False, True])
def test_a_letter_goes_when_its_event_was_handled_or_has_a_new_one(runner, store, asking, failed):
    runner.end(failed=failed)
    assert asking.wait() is not failed
    assert store.count_dead_letters() == 0


def test_a_letter_whose_event_was_forgotten_stays(runner, store, letter, asking):
    runner.reruns.forget()
    assert asking.wait() is False
    assert store.dead_letters() == [letter]


@pytest.mark.parametrize(
    'timeout', [math.inf, math.nan, -1, 10**400, None, 'x'], ids=lambda each: str(each)[:9]
)
def test_nobody_waits_for_a_time_that_is_none(runner, store, letter, timeout):
    box = LetterBox(SimpleNamespace(runner=runner, positions=SimpleNamespace(store=store)))
    with pytest.raises(ValueError, match='timeout is .*; it is a time in seconds'):
        box.run_again(letter.number, timeout)
    assert runner.arrivals == []
