"""What a service handles that ends and starts again, against the fake org and real stores."""

import logging

import eventlet
import pytest
from greenlet import GreenletExit

from nameko_salesforce.errors import StreamRefused
from nameko_salesforce.streaming import (
    handle_platform_event,
    handle_sobject_notification,
)
from tests.integration.printers import CHANNEL, HOURS, Store, ids, keep, publish, service


@pytest.fixture(params=['redis', 'sqlite'])
def uri(request, tmp_path):
    if request.param == 'sqlite':
        return f'sqlite:///{tmp_path / "positions.db"}'
    redis = request.getfixturevalue('redis_process')
    with redis.client() as client:
        client.flushall()
    return redis.uri


@pytest.fixture
def file_uri(tmp_path):
    return f'sqlite:///{tmp_path / "positions.db"}'


# --- the end and the next start -------------------------------------------------------------------


def test_a_service_gets_what_was_published_while_it_was_down_and_nothing_twice(org, uri):
    kind, handled = service()
    first = org.run(kind, REPLAY_STORE_URI=uri)
    publish(org, 1, 2)
    org.until('two events', lambda: len(handled) == 2)
    first.end('stop')
    publish(org, 3, 4)
    org.run(kind, REPLAY_STORE_URI=uri)
    org.until('the others', lambda: len(handled) >= 4)
    publish(org, 5)
    org.until('a new one', lambda: 5 in handled)
    assert handled == [1, 2, 3, 4, 5]


def test_a_killed_service_loses_nothing(org, uri):
    kind, handled = service()
    first = org.run(kind, REPLAY_STORE_URI=uri)
    publish(org, 1)
    org.until('the first', lambda: handled)
    first.end('kill')
    publish(org, 2)
    org.run(kind, REPLAY_STORE_URI=uri)
    org.until('the second', lambda: 2 in handled)


def test_a_start_before_the_first_event_is_remembered(org, uri):
    publish(org, 0)
    kind, handled = service()
    first = org.run(kind, REPLAY_STORE_URI=uri)
    store = Store(org, uri)
    org.until('the mark', lambda: store.position() is not None)
    first.end('stop')
    mark = store.position()
    assert mark.replay_id is None
    assert mark.seen_until >= mark.marked_at > 0
    publish(org, 1)
    org.run(kind, REPLAY_STORE_URI=uri)
    org.until('the event from between', lambda: 1 in handled)


def test_a_first_start_takes_new_events_only(org, file_uri):
    publish(org, 1)
    kind, handled = service()
    org.run(kind, REPLAY_STORE_URI=file_uri)
    publish(org, 2)
    org.until('the new one', lambda: handled)
    assert handled == [2]


@pytest.mark.defect('S10')
def test_a_first_start_takes_all_that_is_kept_where_the_decorator_says_so(org, file_uri):
    publish(org, 1, 2)
    kind, handled = service(start='earliest')
    org.run(kind, REPLAY_STORE_URI=file_uri)
    org.until('both', lambda: len(handled) == 2)
    assert handled == [1, 2]


@pytest.mark.defect('S16')
def test_each_channel_has_a_start_of_its_own(org, file_uri):
    class Service:
        name = 'service'

        @handle_platform_event('Low_Ink__e', start='earliest')
        def ink(self, name, event):
            pass

        @handle_sobject_notification('Contact')
        def contact(self, *args):
            pass

    org.run(Service, REPLAY_STORE_URI=file_uri)
    asked = {}
    for entry in org.server.journal('request', channel='/meta/subscribe'):
        asked.update(entry.detail['ext']['replay'])
    assert asked == {CHANNEL: -2, '/topic/Contact': -1}


def test_a_first_start_is_told_and_a_store_of_memory_that_was_chosen_is_no_warning(org):
    kind, _ = service()
    org.run(kind, REPLAY_STORE_URI='memory://')
    [line] = org.log.lines('no position is known')
    assert line == f'{CHANNEL}: no position is known, so that it begins with new events'
    assert org.log.lines('', logging.WARNING) == []


def test_without_a_store_one_line_says_what_a_restart_means(org):
    kind, handled = service()
    org.run(kind).end('stop')
    publish(org, 1)
    org.run(kind)
    publish(org, 2)
    org.until('the new one', lambda: handled)
    assert handled == [2]
    assert len(org.log.lines('positions are kept in memory.*REPLAY_STORE_URI')) == 2


def test_the_keys_of_version_1_2_still_name_a_redis(org, own_redis):
    keys = {'PUSHTOPIC_REPLAY_ENABLED': True, 'PUSHTOPIC_REPLAY_REDIS_URI': own_redis.uri}
    kind, handled = service()
    first = org.run(kind, **keys)
    publish(org, 1)
    org.until('the first', lambda: handled == [1])
    first.end('stop')
    publish(org, 2)
    org.run(kind, **keys)
    org.until('the second', lambda: handled == [1, 2])


def test_a_store_that_cannot_be_reached_is_named_without_its_password(org):
    kind, _ = service()
    org.make(kind, REPLAY_STORE_URI='redis://:hidden@127.0.0.1:1/0').start()
    org.until('the word', lambda: org.log.lines('its position is not known: redis://'))
    assert org.log.lines('hidden') == []


@pytest.mark.defect('S6')
def test_two_services_on_one_store_are_independent(org, uri):
    one, handled_by_one = service()
    two, handled_by_two = service()
    two.name = 'another'
    first = org.run(one, REPLAY_STORE_URI=uri)
    publish(org, 1)
    org.until('the first', lambda: handled_by_one)
    first.end('stop')
    other = org.run(two, REPLAY_STORE_URI=uri)
    publish(org, 2)
    org.until('the second', lambda: handled_by_two)
    other.end('stop')
    org.run(one, REPLAY_STORE_URI=uri)
    org.until('it comes to the first service, too', lambda: len(handled_by_one) == 2)
    assert (handled_by_one, handled_by_two) == ([1, 2], [2])


@pytest.mark.defect('S6')
def test_two_orgs_on_one_store_are_independent(org, uri):
    kind, handled = service(start='earliest')
    first = org.run(kind, REPLAY_STORE_URI=uri)
    publish(org, 1)
    before = Store(org, uri)
    org.until('the position', lambda: before.id() == ids(org)[0])
    kept = before.position()
    first.end('stop')
    org.server.reset()  # as a sandbox that is refreshed: another organization, and ids that begin anew
    org.forget_people()
    publish(org, 2)
    org.run(kind, REPLAY_STORE_URI=uri)
    org.until('the event of the other org', lambda: handled == [1, 2])
    assert Store(org, uri).store is not before.store
    assert before.id() == kept.replay_id
    assert org.log.lines('events may have been missed') == []


@pytest.mark.defect('S6')
def test_an_org_that_becomes_another_one_under_a_running_service_begins_anew(org, uri):
    kind, handled = service(start='earliest')
    org.run(kind, REPLAY_STORE_URI=uri)
    publish(org, 1)
    before = Store(org, uri)
    org.until('the position', lambda: before.id() == ids(org)[0])
    org.server.reset()
    org.forget_people()
    publish(org, 2)
    org.until('the event of the other org', lambda: handled == [1, 2])
    publish(org, 3)
    after = Store(org, uri)
    org.until('its position', lambda: after.id() == ids(org)[-1])
    assert len(org.log.lines('its positions begin anew')) == 1
    assert org.log.lines('events may have been missed') == []


# --- what is committed ----------------------------------------------------------------------------


@pytest.mark.defect('S1')
def test_a_position_never_passes_an_unfinished_event(org, uri, gate):
    kind, handled = service(lambda number: gate.wait() if number == 1 else None)
    org.run(kind, REPLAY_STORE_URI=uri)
    store = Store(org, uri)
    org.until('the mark', lambda: store.position() is not None)
    publish(org, 1, 2, 3)
    org.until('the later ones', lambda: len(handled) == 2)
    assert handled == [2, 3]
    assert store.id() is None
    gate.open()
    org.until('the position of the last', lambda: store.id() == ids(org)[-1])


@pytest.mark.defect('S2')
def test_a_failed_event_is_not_passed_before_something_became_of_it(org, uri):
    log = org.log
    log.expect_error('error handling worker')
    log.expect_error('failed with event .* for good')
    store = Store(org, uri)
    positions = []

    def handle(number):
        if number == 1:
            positions.append(store.id())
            raise ValueError('no such printer')

    kind, handled = service(handle, attempts=2)
    org.run(kind, REPLAY_STORE_URI=uri)
    publish(org, 1, 2)
    org.until('the second event', lambda: handled == [2])
    org.until('the dead letter', store.letters)
    [letter] = store.letters()
    assert (letter.handler, letter.error_type, letter.error) == ('record', 'ValueError', 'no such printer')
    assert letter.attempts == 2
    assert letter.replay_id == ids(org)[0]
    assert letter.data['payload']['Printer_Model__c'] == '1'
    org.until('the position of the last', lambda: store.id() == ids(org)[-1])
    assert positions == [None, None]


@pytest.mark.defect('S7')
def test_an_event_is_done_when_all_handlers_of_its_channel_are(org, file_uri, gate):
    handled = []

    class Service:
        name = 'service'

        @handle_platform_event('Low_Ink__e')
        def quick(self, name, event):
            handled.append('quick')

        @handle_platform_event('Low_Ink__e')
        def slow(self, name, event):
            gate.wait()
            handled.append('slow')

    first = org.run(Service, REPLAY_STORE_URI=file_uri)
    publish(org, 1)
    org.until('the quick one', lambda: handled == ['quick'] and gate.begun)
    first.end('kill')
    gate.open()
    org.run(Service, REPLAY_STORE_URI=file_uri)
    org.until('both again', lambda: sorted(handled) == ['quick', 'quick', 'slow'])


@pytest.mark.defect('S3')
def test_a_new_session_runs_nothing_twice_that_is_under_way_or_done(org, file_uri, gate):
    kind, handled = service(lambda number: gate.wait() if number > 1 else None)
    org.run(kind, REPLAY_STORE_URI=file_uri)
    publish(org, 1, 2, 3)
    org.until('two under way', lambda: gate.begun == 2)
    before = org.handshakes()
    org.server.disconnect_all()
    org.until('a new session', lambda: org.handshakes() > before)
    publish(org, 4)
    org.until('the new event under way', lambda: gate.begun == 3)
    gate.open()
    org.until('all', lambda: len(handled) == 4)
    assert sorted(handled) == [1, 2, 3, 4]


@pytest.mark.defect('S15')
def test_updates_of_one_record_are_handled_in_order_and_other_records_beside_them(org, file_uri, gate):
    seen = []

    class Service:
        name = 'service'

        @handle_sobject_notification('Contact', notify_for_operation_create=False)
        def handle(self, sobject_type, record_type, notification):
            name = notification['sobject']['Name']
            if name == 'Ada 1':
                gate.wait()
            seen.append(name)

    ada, alan = (org.ada.create('Contact', LastName=name) for name in ('Ada', 'Alan'))
    org.run(Service, REPLAY_STORE_URI=file_uri)
    for record, name in ((ada, 'Ada 1'), (ada, 'Ada 2'), (alan, 'Alan 1'), (ada, 'Ada 3'), (alan, 'Alan 2')):
        org.ada.update('Contact', record, LastName=name)
    org.until('the other record', lambda: seen == ['Alan 1', 'Alan 2'])
    assert gate.begun == 1
    gate.open()
    org.until('the rest', lambda: len(seen) == 5)
    assert seen[2:] == ['Ada 1', 'Ada 2', 'Ada 3']


# --- what the server does --------------------------------------------------------------------------


@pytest.mark.parametrize('blow', ['revoke_tokens', 'restart', 'disconnect_all', 'expire_routing_cookies'])
def test_what_is_published_around_a_blow_is_handled_once_and_in_order(org, file_uri, blow):
    kind, handled = service(order='channel')
    running = org.run(kind, REPLAY_STORE_URI=file_uri)
    publish(org, 1, 2)
    org.until('the first', lambda: len(handled) == 2)
    before = org.handshakes()
    getattr(org.server, blow)()
    publish(org, 3, 4)
    org.until('a new session', lambda: org.handshakes() > before)
    publish(org, 5)
    org.until('all', lambda: len(handled) >= 5)
    assert handled == [1, 2, 3, 4, 5]
    org.subscribed(running)
    assert org.log.lines('events may have been missed') == []


def test_what_a_start_brings_again_is_kept_at_once_and_not_run_by_the_next_one(org, uri):
    publish(org, 1, 2, 3)
    kind, handled = service(start='earliest')
    for _ in range(3):
        running = org.run(kind, REPLAY_STORE_URI=uri)
        org.until('all that is kept', lambda: len(handled) >= 3)
        running.end('stop')
    assert handled == [1, 2, 3]
    assert Store(org, uri).id() == ids(org)[-1]


def test_what_a_first_start_brought_beside_a_held_poll_is_not_taken_for_lost_by_the_next_one(org, file_uri):
    publish(org, 1, 2, 3)
    org.server.configure(timeout=4.0)
    kind, handled = service(start='earliest', on_gap='fail')
    late = 5.5  # longer than a poll waits for the subscription
    org.server.faults.add('delay', channel='/meta/subscribe', seconds=late)
    first = org.run(kind, REPLAY_STORE_URI=file_uri, NETWORK_ALLOWANCE=20)
    store, last = Store(org, file_uri), ids(org)[-1]
    org.until('the position', lambda: store.id() == last)
    first.end('kill')
    [subscribe] = org.server.journal('request', channel='/meta/subscribe')
    [held, *_] = org.server.journal('held')
    assert held.at < subscribe.at + late  # so it did come beside the poll
    org.subscribed(org.run(kind, REPLAY_STORE_URI=file_uri))
    assert asked(org)[-2:] == [-2, last]
    assert handled == [1, 2, 3]
    assert org.log.lines('events may have been missed') == []


def asked(org):
    """Where channels were subscribed from, in order."""
    return [
        entry.detail['ext']['replay'][CHANNEL]
        for entry in org.server.journal('request', channel='/meta/subscribe')
    ]


def test_all_that_is_kept_is_asked_for_once(org, file_uri):
    """Replayed events count against the allowance of the day."""
    publish(org, 1, 2, 3)
    # Its event is an hour younger than these, by the clock of Salesforce: they are passed over.
    keep(Store(org, file_uri), 999_999, seen_ago=60, created_ago=-HOURS)
    kind, handled = service()
    running = org.run(kind, REPLAY_STORE_URI=file_uri)
    for session in (2, 3):
        org.server.disconnect_all()
        org.until('a new session', lambda session=session: org.handshakes() == session)
        org.subscribed(running)
    last = ids(org)[-1]
    assert asked(org) == [999_999, -2, last, last]
    assert handled == []


# --- a lost position --------------------------------------------------------------------------------


@pytest.mark.defect('S5')
@pytest.mark.parametrize(
    ('on_gap', 'expected', 'words'),
    [
        ('earliest', [1, 2, 3], 'all events that Salesforce still has are asked for'),
        ('latest', [3], 'the channel goes on with new events'),
    ],
)
def test_a_position_older_than_retention_is_lost_with_a_notice(org, file_uri, on_gap, expected, words):
    publish(org, 1, 2)
    store = Store(org, file_uri)
    keep(store, 17, seen_ago=80 * HOURS)
    kind, handled = service(on_gap=on_gap)
    first = org.run(kind, REPLAY_STORE_URI=file_uri)
    publish(org, 3)
    org.until('the new event', lambda: 3 in handled)
    assert handled == expected
    [line] = org.log.lines('events may have been missed')
    assert CHANNEL in line
    assert words in line
    [record] = [each for each in org.log.records if hasattr(each, 'salesforce_gap')]
    assert record.salesforce_gap['replay_id'] == 17
    assert record.salesforce_gap['age'] == pytest.approx(80 * HOURS, abs=60)
    assert record.salesforce_gap['chosen'] == on_gap
    org.until('the position', lambda: store.id() == ids(org)[-1])
    first.end('stop')
    org.run(kind, REPLAY_STORE_URI=file_uri)
    assert len(org.log.lines('events may have been missed')) == 1


@pytest.mark.defect('S5')
def test_a_channel_with_on_gap_fail_stops_visibly_and_the_others_go_on(org, file_uri):
    seen = []

    class Service:
        name = 'service'

        @handle_platform_event('Low_Ink__e', on_gap='fail')
        def ink(self, name, event):
            seen.append(name)

        @handle_sobject_notification('Contact')
        def contact(self, *args):
            seen.append('Contact')

    keep(Store(org, file_uri), 17, seen_ago=80 * HOURS)
    running = org.make(Service, REPLAY_STORE_URI=file_uri).start()
    org.until('the word', lambda: org.log.lines('not subscribed to until somebody decides'))
    org.until('the other channel', lambda: running.client.channels['/topic/Contact'].state.value == 'active')
    org.ada.create('Contact', LastName='Hopper')
    publish(org, 1)
    org.until('the contact', lambda: seen)
    assert seen == ['Contact']
    org.until('another attempt', lambda: running.client.channels[CHANNEL].failures > 2)
    assert "on_gap is 'fail'" in running.client.channels[CHANNEL].reason
    assert len(org.log.lines('events may have been missed')) == 1


def test_a_channel_that_fell_into_a_gap_goes_on_when_somebody_says_so(org, file_uri):
    publish(org, 1)
    keep(Store(org, file_uri), 17, seen_ago=80 * HOURS)
    kind, handled = service(on_gap='fail')
    running = org.make(kind, REPLAY_STORE_URI=file_uri).start()
    org.until('the word', lambda: org.log.lines('not subscribed to until somebody decides'))
    assert not running.connection.resume_channel('/event/Other__e')
    assert running.connection.resume_channel(CHANNEL)
    org.until('all that is kept', lambda: handled == [1])
    assert not running.connection.resume_channel(CHANNEL)
    assert len(org.log.lines('events may have been missed')) == 2


def test_a_lost_position_ends_a_service_that_prefers_that(org, file_uri):
    org.log.expect_error('because FAIL_FAST is set')
    org.log.expect_error('thread exited with error')
    keep(Store(org, file_uri), 17, seen_ago=80 * HOURS)
    kind, _ = service(on_gap='fail')
    running = org.make(kind, REPLAY_STORE_URI=file_uri, FAIL_FAST=True).start()
    with org.bounded(), pytest.raises(StreamRefused, match="on_gap is 'fail'"):
        running.container.wait()


@pytest.mark.defect('S4')
@pytest.mark.defect('S5')
def test_a_refused_id_of_a_channel_that_was_just_connected_is_no_loss(org, file_uri):
    publish(org, 1, 2)
    keep(Store(org, file_uri), 999_999, seen_ago=60)
    kind, handled = service()
    org.run(kind, REPLAY_STORE_URI=file_uri)
    org.until('all that is kept', lambda: handled == [1, 2])
    assert org.log.lines('events may have been missed') == []


def test_a_refused_id_of_a_channel_long_away_is_a_loss(org, file_uri):
    publish(org, 1, 2)
    keep(Store(org, file_uri), 999_999, seen_ago=71.5 * HOURS)
    kind, handled = service()
    org.run(kind, REPLAY_STORE_URI=file_uri)
    org.until('all that is kept', lambda: handled == [1, 2])
    [line] = org.log.lines('events may have been missed')
    assert '400::The replayId' in line


def test_events_that_are_known_to_be_done_are_passed_over(org, file_uri):
    publish(org, 1)
    store = Store(org, file_uri)
    # Its event was created two hours after the one that is kept: everything from before that is done.
    keep(store, 999_999, seen_ago=60, created_ago=-2 * HOURS)
    kind, handled = service()
    org.run(kind, REPLAY_STORE_URI=file_uri)
    publish(org, 2)
    org.until('the position of the last one passed over', lambda: store.id() == ids(org)[-1])
    assert handled == []


# --- a store that is down -----------------------------------------------------------------------------


@pytest.mark.defect('S9')
def test_a_store_that_is_down_at_the_start_delays_its_channels_and_nothing_is_lost(org, own_redis):
    kind, handled = service()
    first = org.run(kind, REPLAY_STORE_URI=own_redis.uri)
    publish(org, 1)
    org.until('the first', lambda: handled == [1])
    first.end('stop')
    own_redis.end()
    publish(org, 2)
    running = org.make(kind, REPLAY_STORE_URI=own_redis.uri).start()
    org.until(
        'the reason to be seen',
        lambda: 'its position is not known' in running.client.channels[CHANNEL].reason,
    )
    own_redis.start()
    org.until('the second', lambda: handled == [1, 2])


@pytest.mark.defect('S9')
def test_a_store_that_goes_away_delays_positions_and_not_the_stream(org, own_redis):
    kind, handled = service()
    org.run(kind, REPLAY_STORE_URI=own_redis.uri)
    publish(org, 1)
    org.until('the first', lambda: handled == [1])
    own_redis.end()
    publish(org, 2, 3)
    org.until('the others', lambda: handled == [1, 2, 3])
    org.until('the word', lambda: org.log.lines('positions cannot be saved'))
    own_redis.start()
    store = Store(org, own_redis.uri)
    org.until('the position of the last', lambda: store.id() == ids(org)[-1])


@pytest.mark.defect('S9')
def test_a_store_that_comes_and_goes_under_load_costs_nothing(org, own_redis):
    kind, handled = service(order='channel')
    org.run(kind, REPLAY_STORE_URI=own_redis.uri)
    for first in range(0, 300, 100):
        publish(org, *range(first, first + 50))
        own_redis.end()
        publish(org, *range(first + 50, first + 100))
        own_redis.start()
    org.until('all', lambda: len(handled) >= 300)
    assert handled == list(range(300))
    store = Store(org, own_redis.uri)
    org.until('the position of the last', lambda: store.id() == ids(org)[-1])


def test_an_age_of_ones_own_decides_what_is_lost(org, file_uri):
    publish(org, 1, 2)
    keep(Store(org, file_uri), ids(org)[0], seen_ago=120)
    kind, handled = service()
    org.run(kind, REPLAY_STORE_URI=file_uri, PUSHTOPIC_REPLAY_TTL=60)
    org.until('all that is kept and not known to be done', lambda: handled == [2])
    [line] = org.log.lines('events may have been missed')
    assert 'last connected 120 s ago; positions are used for 60 s' in line


# --- handlers that fail -----------------------------------------------------------------------------


def test_an_event_whose_handler_takes_too_long_is_tried_again(org, file_uri):
    org.log.expect_error('error handling worker')
    begun = []

    def handle(number):
        begun.append(number)
        if len(begun) == 1:
            eventlet.sleep(60)

    kind, handled = service(handle, timeout=0.2)
    org.run(kind, REPLAY_STORE_URI=file_uri)
    publish(org, 1)
    org.until('the event', lambda: handled == [1])
    assert begun == [1, 1]


def test_a_handler_that_hangs_holds_up_its_record_and_position_and_nothing_else(org, file_uri, gate):
    kind, handled = service(lambda number: gate.wait() if number == 1 else None)
    running = org.run(kind, REPLAY_STORE_URI=file_uri)
    publish(org, *range(1, 30))
    org.until('all others', lambda: len(handled) == 28)
    assert 1 not in handled
    assert running.container._worker_threads
    store = Store(org, file_uri)
    assert store.id() is None
    gate.open()
    org.until('the position of the last', lambda: store.id() == ids(org)[-1])


def test_a_handler_that_fails_at_times_loses_nothing(org, file_uri):
    org.log.expect_error('error handling worker')
    failed = set()

    def handle(number):
        if number % 3 == 0 and number not in failed:
            failed.add(number)
            raise ValueError('at times')

    kind, handled = service(handle)
    org.run(kind, REPLAY_STORE_URI=file_uri)
    publish(org, *range(10))
    org.until('all', lambda: len(handled) >= 10)
    assert sorted(handled) == list(range(10))
    store = Store(org, file_uri)
    org.until('the position of the last', lambda: store.id() == ids(org)[-1])
    assert store.letters() == []


@pytest.mark.parametrize('end', [eventlet.Timeout, GreenletExit])
def test_a_worker_that_ends_without_a_result_has_failed(org, file_uri, end):
    begun = []

    def handle(number):
        begun.append(number)
        if len(begun) == 1:
            raise end()

    kind, handled = service(handle)
    org.run(kind, REPLAY_STORE_URI=file_uri)
    publish(org, 1)
    org.until('the event', lambda: handled == [1])
    assert begun == [1, 1]


def test_expected_exceptions_count_as_handled(org, file_uri):
    def handle(number):
        if number == 1:
            raise LookupError('not ours')

    kind, handled = service(handle, expected_exceptions=LookupError)
    org.run(kind, REPLAY_STORE_URI=file_uri)
    store = Store(org, file_uri)
    publish(org, 1, 2)
    org.until('the position of the last', lambda: store.id() == ids(org)[-1])
    assert handled == [2]
    assert store.letters() == []


def test_a_channel_whose_handler_stops_is_left_alone_and_the_others_go_on(org, file_uri):
    org.log.expect_error('error handling worker')
    org.log.expect_error('failed with event .* the channel is stopped')
    seen = []

    class Service:
        name = 'service'

        @handle_platform_event('Low_Ink__e', attempts=1, on_failure='stop')
        def ink(self, name, event):
            raise ValueError('out of ink')

        @handle_sobject_notification('Contact')
        def contact(self, *args):
            seen.append('Contact')

    running = org.run(Service, REPLAY_STORE_URI=file_uri)
    publish(org, 1)
    org.until('the channel to be left', lambda: CHANNEL not in running.client.channels)
    publish(org, 2)
    org.ada.create('Contact', LastName='Hopper')
    org.until('the contact', lambda: seen)
    assert Store(org, file_uri).id() is None


# --- batches --------------------------------------------------------------------------------------------


def test_a_batch_comes_as_a_list_in_the_order_of_arrival(org, file_uri):
    batches = []

    class Service:
        name = 'service'

        @handle_platform_event('Low_Ink__e', batch=3, batch_wait=0.1)
        def handle(self, name, events):
            batches.append([int(event.payload['Printer_Model__c']) for event in events])

    org.run(Service, REPLAY_STORE_URI=file_uri)
    publish(org, *range(7))
    org.until('all', lambda: sum(map(len, batches)) == 7)
    assert [number for batch in batches for number in batch] == list(range(7))
    assert max(map(len, batches)) <= 3
    assert len(batches) < 7
    store = Store(org, file_uri)
    org.until('the position of the last', lambda: store.id() == ids(org)[-1])


def test_a_poison_event_of_a_batch_is_found_and_the_others_are_handled(org, file_uri):
    org.log.expect_error('error handling worker')
    org.log.expect_error('failed with event .* for good')
    handled = []

    class Service:
        name = 'service'

        @handle_platform_event('Low_Ink__e', batch=8, batch_wait=0.1, attempts=1, order=None)
        def handle(self, name, events):
            numbers = [int(event.payload['Printer_Model__c']) for event in events]
            if 2 in numbers:
                raise ValueError('poison')
            handled.extend(numbers)

    org.run(Service, REPLAY_STORE_URI=file_uri)
    publish(org, *range(4))
    store = Store(org, file_uri)
    org.until('the dead letter', store.letters)
    org.until('the others', lambda: sorted(handled) == [0, 1, 3])
    [letter] = store.letters()
    assert letter.data['payload']['Printer_Model__c'] == '2'
