"""Waiting for the server's word."""

import math

import eventlet
import pytest
from eventlet import patcher
from eventlet.green import socket

from nameko_salesforce.bayeux.errors import NotAnswered, PublishRefused
from nameko_salesforce.bayeux.results import Result
from tests.bayeux.client.conftest import TICK


@pytest.fixture
def withdrawn():
    return []


@pytest.fixture
def result(withdrawn):
    return Result('publish on /a', lambda: withdrawn.append(True), lambda: 'the client is IDLE')


def test_a_yes_returns_nothing_as_often_as_it_is_asked_for(result):
    result.answer(None)
    assert result.done
    assert (result.get(), result.get(timeout=0)) == (None, None)


def test_a_no_is_raised_as_often_as_it_is_asked_for(result):
    result.answer(PublishRefused('/a', '403::no'))
    for _ in range(2):
        with pytest.raises(PublishRefused, match='/a: 403::no'):
            result.get(timeout=TICK)


def test_an_answer_given_while_somebody_waits_reaches_all_who_wait(result):
    waiting = [eventlet.spawn(result.get, 100 * TICK) for _ in range(3)]
    eventlet.sleep(0)
    assert not result.done
    result.answer(None)
    assert [each.wait() for each in waiting] == [None, None, None]


def test_only_the_first_answer_counts(result):
    result.answer(None)
    result.answer(PublishRefused('/a', 'late'))
    result.get()


def test_time_that_is_over_is_named_and_withdraws_the_request(result, withdrawn):
    with pytest.raises(NotAnswered, match=r'publish on /a: no answer within 0\.001 s'):
        result.get(timeout=0.001)
    assert withdrawn == [True]
    assert not result.done


def test_a_timeout_around_the_wait_is_its_owner_s(result, withdrawn):
    with pytest.raises(eventlet.Timeout), eventlet.Timeout(0.001):
        result.get()
    assert withdrawn == []


@pytest.mark.parametrize('timeout', [math.inf, 1e308, 3e6, 10**400], ids=lambda each: str(each)[:9])
def test_a_time_that_no_hub_can_wait_is_waited_as_none(result, timeout):
    ours, theirs = socket.socketpair()
    native_time, native_os = patcher.original('time'), patcher.original('os')

    def write():
        # Once the hub waits for nothing but this; a timer would be nearer than the time that is too far.
        native_time.sleep(TICK)
        native_os.write(theirs.fileno(), b'x')

    eventlet.spawn(lambda: (ours.recv(1), result.answer(None)))
    thread = patcher.original('threading').Thread(target=write)
    thread.start()
    result.get(timeout=timeout)
    thread.join()
    ours.close()
    theirs.close()
