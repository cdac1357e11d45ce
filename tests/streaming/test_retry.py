"""What becomes of an event whose handler failed: the decisions alone."""

import pytest

from nameko_salesforce.bayeux.outcomes import Ended, Failed
from nameko_salesforce.streaming.retry import OnFailure, Retry


def test_an_event_has_three_attempts_then_a_dead_letter_if_nothing_else_is_said():
    retry = Retry()
    assert (retry.attempts, retry.timeout, retry.on_failure) == (3, None, OnFailure.DEAD_LETTER)


def test_only_a_result_and_expected_exceptions_count_as_handled():
    retry = Retry(expected=(LookupError,))
    assert retry.is_handled(Ended.HANDLED)
    assert retry.is_handled(Failed(KeyError('subclass')))
    assert not retry.is_handled(Failed(ValueError()))
    assert not retry.is_handled(Ended.LOST)
    assert not retry.is_handled(Ended.NOT_RUN)


def test_an_expired_timeout_is_a_failure_whatever_is_expected():
    assert not Retry(expected=(BaseException,), timeout=1.0).is_handled(Ended.TIMED_OUT)


def test_pauses_grow_and_are_jittered():
    retry = Retry(attempts=5)
    assert [retry.pause(each, 0.0) for each in (1, 2, 3, 4)] == [1.0, 4.0, 16.0, 60.0]
    assert retry.pause(2, 0.5) == 3.0


def test_a_batch_on_the_way_to_its_poison_event_pauses_no_longer_than_before_a_last_attempt():
    assert [Retry().pause(each, 0.0) for each in (2, 3, 9)] == [4.0, 4.0, 4.0]
    assert Retry(attempts=1).pause(5, 0.0) == 1.0


@pytest.mark.parametrize(
    'wrong', [{'attempts': 0}, {'timeout': 0.0}, {'timeout': -1.0}, {'timeout': float('nan')}]
)
def test_what_makes_no_sense_is_refused(wrong):
    with pytest.raises(ValueError, match=next(iter(wrong))):
        Retry(**wrong)


def test_the_words_are_those_of_the_decorators():
    assert [each.value for each in OnFailure] == ['dead_letter', 'skip', 'stop']
