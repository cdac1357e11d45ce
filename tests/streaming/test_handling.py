"""One handler's share: what `test_work.py` does not see through a channel."""

import pytest

from nameko_salesforce.bayeux.messages import Delivery
from nameko_salesforce.bayeux.outcomes import Ended, Failed
from nameko_salesforce.streaming.handling import Arrival, HandlerOptions, Handling
from nameko_salesforce.streaming.retry import Retry

FAILED = Failed(ValueError())


def arrival(number):
    return Arrival(Delivery('/u/c', {'event': {'replayId': number}}), number, None, 0.0, 1, 0)


def handling(**options):
    return Handling(HandlerOptions(name='handle', **options), lambda: 0.0)


def test_it_tells_its_owner_which_events_it_is_done_with():
    share = handling()
    one = arrival(1)
    share.add([one], 0.0)
    assert [each.content for each in share.ended(share.next(0.0), Ended.HANDLED, 0.0, [])] == [one]


def test_a_dead_letter_is_told_of_and_not_done():
    share, effects = handling(retry=Retry(attempts=1)), []
    share.add([arrival(1)], 0.0)
    assert share.ended(share.next(0.0), FAILED, 0.0, effects) == ()
    assert len(effects) == 1
    assert (share.waiting, share.running, share.retrying) == (0, 0, 0)


def test_retries_come_before_events_that_were_never_tried():
    share = handling()
    share.add([arrival(1)], 0.0)
    share.ended(share.next(0.0), FAILED, 0.0, [])
    share.add([arrival(2)], 0.0)
    assert share.deadline == 1.0
    assert [share.next(1.0).attempt, share.next(1.0).attempt] == [2, 1]


def test_jitter_shortens_pauses():
    share = Handling(HandlerOptions(name='handle'), lambda: 0.999)
    share.add([arrival(1)], 0.0)
    share.ended(share.next(0.0), FAILED, 0.0, [])
    assert share.deadline == pytest.approx(0.5, abs=0.01)


def test_a_batch_that_is_not_full_waits_for_its_time():
    share = handling(batch=2, batch_wait=0.5)
    for number in range(5):
        share.add([arrival(number)], 0.0)
    assert [len(share.next(0.0).events) for _ in range(2)] == [2, 2]
    assert (share.next(0.0), share.deadline) == (None, 0.5)
    assert len(share.next(0.5).events) == 1


@pytest.mark.parametrize('wrong', [{'batch': 0}, {'batch_wait': -1.0}, {'batch_wait': float('nan')}])
def test_what_makes_no_sense_is_refused(wrong):
    with pytest.raises(ValueError, match=next(iter(wrong))):
        handling(**wrong)
