"""The seam for what comes from outside: its default, and how a failure travels."""

import eventlet
import pytest

from nameko_salesforce.bayeux.failures import Failure, FailureKind
from nameko_salesforce.bayeux.preparation import NoPreparation, PreparationFailed, Preparations, Prepared


def test_nothing_is_needed_by_default():
    assert NoPreparation().prepare(login=True) == Prepared(url=None, ext=None)
    assert NoPreparation().prepare_channel('/a', refusal='no') is None


def test_a_failed_preparation_says_what_failed_in_words_and_as_a_value():
    failure = Failure(FailureKind.TIMEOUT, 'login')
    assert str(PreparationFailed(failure)) == 'answer took too long: login'
    assert PreparationFailed(failure).failure is failure
    assert str(PreparationFailed('401::Authentication invalid')) == '401::Authentication invalid'


# --- under way ----------------------------------------------------------------------------------


def fail_with(error):
    def prepare():
        raise error

    return prepare


@pytest.fixture
def told():
    return []


@pytest.fixture
def preparations(told):
    return Preparations(False, eventlet.spawn, told.append, lambda: 'http://x')


@pytest.mark.parametrize(
    ('error', 'outcome', 'lines'),
    [
        (PreparationFailed('401::no'), '401::no', []),
        (ValueError('secret'), 'ValueError', ['http://x: the preparation of /a failed']),
    ],
)
def test_whatever_it_raises_is_an_outcome(preparations, told, caplog, error, outcome, lines):
    preparations.begin('/a', fail_with(error), lambda failure: ('failed', failure))
    eventlet.sleep(0)
    assert told == [('failed', outcome)]
    assert caplog.messages == lines


def test_one_that_needs_no_time_gets_no_thread(told):
    Preparations(True, None, told.append, None).begin('/a', lambda: 'done', None)
    assert told == ['done']


def test_one_that_was_abandoned_has_no_outcome(preparations, told):
    preparations.begin('/a', lambda: eventlet.sleep(60), None)
    eventlet.sleep(0)
    preparations.abandon()
    eventlet.sleep(0)
    assert told == []
