"""The ledger sees what it is there for; each test breaks one promise by hand."""

import pytest

from nameko_salesforce.bayeux.messages import Delivery
from nameko_salesforce.replay.position import Position
from nameko_salesforce.streaming.order import Order
from nameko_salesforce.streaming.resume import Gap, OnGap, Start
from tests.properties.ledger import ALL, Log

DAY = 86_400.0


@pytest.fixture
def log():
    """A channel whose position is kept from 0 on, and whose event 7 is of 10, 8 of 20 and 9 of 30."""
    made = Log('/topic/T', {'handle': Order.RECORD}, DAY, Start.LATEST)
    made.saved(Position(None, None, 1.0, 0.0), 1.0)
    for replay_id, at, about in ((7, 10.0, ('A',)), (8, 20.0, ('B',)), (9, 30.0, ('A',))):
        made.publish(replay_id, at, about, poison=False)
    return made


def delivery(replay_id):
    return Delivery('/topic/T', {'event': {'replayId': replay_id}})


def position(replay_id, seen_until=1.0):
    return Position(replay_id, None, seen_until, 0.0)


def gap(chosen, seen_until=5.0, noticed_at=21.0, age=DAY):
    return Gap(
        channel='/topic/T',
        reason='',
        replay_id=None,
        event_time=None,
        seen_until=seen_until,
        age=age,
        chosen=chosen,
        noticed_at=noticed_at,
    )


def test_a_position_over_an_unhandled_event_is_seen(log):
    log.fates['handle'].handled |= {2}
    with pytest.raises(AssertionError, match='2 is committed, and 1 is unhandled'):
        log.saved(position(8), 40.0)


def test_a_position_over_events_that_were_skipped_or_kept_as_letters_is_fine(log):
    log.fates['handle'].skipped.add(1)
    log.fates['handle'].lettered.add(2)
    log.saved(position(8), 40.0)
    with pytest.raises(AssertionError, match='event 3 is lost'):
        log.check_all_done(40.0)


@pytest.mark.parametrize(('beside', 'kept'), [(True, True), (False, False)])
def test_a_last_event_that_came_beside_a_poll_is_kept_by_the_last_arrival(log, beside, kept):
    log.fates['handle'].handled |= {1, 2, 3}
    for replay_id in (9, 7, 8):
        log.arrived(delivery(replay_id), beside=beside)
    log.saved(position(8), 40.0)
    assert log.is_kept is kept
    log.saved(position(9), 40.0)
    assert log.is_kept


def test_a_last_event_is_not_kept_before_the_last_arrival_is(log):
    log.fates['handle'].handled |= {1, 2, 3}
    for replay_id in (9, 7, 8):
        log.arrived(delivery(replay_id), beside=True)
    log.saved(position(7), 40.0)
    assert not log.is_kept


def test_a_letter_that_is_not_stored_lets_no_position_pass(log):
    log.fates['handle'].given_up.add(1)
    with pytest.raises(AssertionError, match='1 is committed'):
        log.saved(position(7), 40.0)


def test_every_handler_counts():
    log = Log('/topic/T', {'a': Order.NONE, 'b': Order.NONE}, DAY, Start.LATEST)
    log.saved(position(None), 1.0)
    log.publish(7, 10.0, ('A',), poison=False)
    log.fates['a'].handled.add(1)
    with pytest.raises(AssertionError, match='unhandled'):
        log.saved(position(7), 40.0)


def test_a_time_until_which_not_all_is_handled_is_seen(log):
    log.fates['handle'].handled.add(1)
    log.saved(position(7, seen_until=20.0), 40.0)
    with pytest.raises(AssertionError, match='said to be handled until'):
        log.saved(position(7, seen_until=40.0), 40.0)


def test_a_position_that_the_next_process_would_take_for_lost_is_seen(log):
    log.fates['handle'].handled.add(1)
    with pytest.raises(AssertionError, match='no known age'):
        log.saved(position(7, seen_until=0.0), 40.0)


def test_a_position_that_no_event_has_is_seen(log):
    with pytest.raises(AssertionError, match='no event has'):
        log.saved(position(6), 40.0)


def test_what_is_published_before_anything_is_kept_is_not_promised():
    log = Log('/topic/T', {'handle': Order.RECORD}, DAY, Start.LATEST)
    log.publish(7, 10.0, ('A',), poison=False)
    log.saved(Position(None, None, 0.0, 5.0), 11.0)
    assert log.promised_from is None
    log.saved(Position(None, None, 5.0, 5.0), 12.0)
    log.check_all_done(13.0)


def test_a_start_from_the_earliest_promises_what_the_server_has():
    log = Log('/topic/T', {'handle': Order.RECORD}, DAY, Start.EARLIEST)
    log.publish(7, 10.0, ('A',), poison=False)
    log.saved(position(None, 5.0), 12.0)
    with pytest.raises(AssertionError, match='event 1 is lost'):
        log.check_all_done(13.0)


@pytest.mark.parametrize('chosen', [OnGap.EARLIEST, OnGap.LATEST])
def test_a_gap_excuses_what_it_names(log, chosen):
    log.fates['handle'].handled.add(3)
    log.gap_told(gap(chosen))
    log.check_all_done(40.0 + DAY)


def test_a_gap_excuses_nothing_outside_its_span(log):
    log.gap_told(gap(OnGap.LATEST))
    with pytest.raises(AssertionError, match='event 3 is lost'):
        log.check_all_done(40.0 + DAY)


def test_what_the_server_still_has_is_not_excused_where_it_was_asked_for(log):
    log.gap_told(gap(OnGap.EARLIEST))
    with pytest.raises(AssertionError, match='event 1 is lost'):
        log.check_all_done(40.0)


def test_a_gap_where_nothing_can_be_missing_is_seen(log):
    with pytest.raises(AssertionError, match='nothing can be missing'):
        log.gap_told(gap(OnGap.LATEST, age=60.0))


def test_an_event_in_front_of_its_record_is_seen(log):
    log.started('handle', [delivery(8)], 40.0)
    with pytest.raises(AssertionError, match='got event 3 before 1'):
        log.started('handle', [delivery(9)], 40.0)
    log.started('handle', [delivery(7), delivery(9)], 40.0)
    log.fates['handle'].given_up.add(1)
    log.started('handle', [delivery(9)], 40.0)


def test_an_overflow_stands_for_all_records(log):
    log.publish(10, 40.0, ALL, poison=False)
    with pytest.raises(AssertionError, match='got event 4 before 1'):
        log.started('handle', [delivery(10)], 40.0)


def test_what_came_beside_a_poll_may_overtake_what_had_not_come(log):
    log.arrived(delivery(9), beside=True)
    log.started('handle', [delivery(9)], 40.0)
    log.arrived(delivery(7), beside=False)
    log.started('handle', [delivery(9)], 40.0)
    log.process_began()
    log.arrived(delivery(7), beside=False)
    log.arrived(delivery(9), beside=True)
    with pytest.raises(AssertionError, match='got event 3 before 1'):
        log.started('handle', [delivery(9)], 40.0)
    log.process_began()
    log.arrived(delivery(9), beside=False)
    with pytest.raises(AssertionError, match='got event 3 before 1'):
        log.started('handle', [delivery(9)], 40.0)
