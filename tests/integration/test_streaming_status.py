"""What a service can know of its streams, and do about lost positions and dead letters."""

import json
import time

import pytest
from nameko.testing.services import entrypoint_hook

from nameko_salesforce.replay.store import DeadLetter
from nameko_salesforce.streaming import (
    DeadLetters,
    StoreFailed,
    StreamingStatus,
    handle_gap,
    handle_platform_event,
    handle_sobject_notification,
)
from tests.integration.printers import CHANNEL, HOURS, Store, ids, keep, publish
from tests.services.rpc import local


@pytest.fixture
def uri(tmp_path):
    return f'sqlite:///{tmp_path / "positions.db"}'


class Watched:
    """A service whose status and letters the test can look at."""

    name = 'service'
    status = StreamingStatus()
    letters = DeadLetters()

    @local
    def report(self):
        return self.status.report()

    @local
    def resume(self, channel):
        return self.status.resume(channel)

    @local
    def box(self, call, *args, **kwargs):
        return getattr(self.letters, call)(*args, **kwargs)


def ask(running, method, *args, **kwargs):
    with entrypoint_hook(running.container, method) as call:
        return call(*args, **kwargs)


def letter_of(number):
    return DeadLetter(
        channel=CHANNEL,
        handler='ink',
        data={'payload': {'Printer_Model__c': str(number)}, 'event': {'replayId': 5}},
        replay_id=5,
        error_type='ValueError',
        error='out of ink',
        attempts=3,
        first_at=1.0,
        last_at=2.0,
    )


# --- status -----------------------------------------------------------------------------------------


def test_a_service_that_keeps_up_has_no_problem_and_says_where_it_is(org, uri):
    class Service(Watched):
        @handle_platform_event('Low_Ink__e')
        def ink(self, name, event):
            pass

    running = org.run(Service, REPLAY_STORE_URI=uri)
    publish(org, 1, 2)
    org.until('both', lambda: ask(running, 'report').channels[CHANNEL].committed == ids(org)[-1])
    report = ask(running, 'report')
    assert report.state == 'connected'
    assert report.problems == []
    assert report.store == uri
    assert report.reconnects == {}
    channel = report.channels[CHANNEL]
    assert (channel.state, channel.reason) == ('active', '')
    assert (channel.received, channel.handled, channel.unfinished, channel.lag) == (ids(org)[-1], 2, 0, 0.0)
    assert channel.committed_age == pytest.approx(0, abs=5)
    assert channel.last_event_at == pytest.approx(time.time(), abs=5)
    assert json.loads(json.dumps(report.as_dict()))['channels'][CHANNEL]['handled'] == 2


def test_what_is_under_way_and_how_long_it_waits_is_seen(org, uri, gate):
    class Service(Watched):
        @handle_platform_event('Low_Ink__e', order='channel')
        def ink(self, name, event):
            gate.wait()

    running = org.run(Service, REPLAY_STORE_URI=uri)
    publish(org, 1, 2, 3)
    org.until('the first under way', lambda: gate.begun)
    org.until('all', lambda: ask(running, 'report').channels[CHANNEL].unfinished == 3)
    channel = ask(running, 'report').channels[CHANNEL]
    assert (channel.in_flight, channel.waiting, channel.committed) == (1, 2, None)
    assert channel.lag > 0
    gate.open()
    org.until('nothing left', lambda: ask(running, 'report').channels[CHANNEL].unfinished == 0)


def test_a_lost_connection_is_counted_by_its_cause(org, uri):
    class Service(Watched):
        @handle_platform_event('Low_Ink__e')
        def ink(self, name, event):
            pass

    running = org.run(Service, REPLAY_STORE_URI=uri)
    org.server.disconnect_all()
    org.until('a new session', lambda: org.handshakes() == 2)
    org.subscribed(running)
    report = ask(running, 'report')
    assert sum(report.reconnects.values()) == 1
    assert report.problems == []


def test_before_the_first_login_the_status_says_what_it_waits_for(org, uri):
    class Service(Watched):
        @handle_platform_event('Low_Ink__e')
        def ink(self, name, event):
            pass

    running = org.make(Service, REPLAY_STORE_URI=uri, LOGIN_URL='http://127.0.0.1:1').start()
    org.until('a failure', lambda: 'refused' in ask(running, 'report').reason)
    [problem, other] = ask(running, 'report').problems
    assert 'Connection refused' in problem
    assert CHANNEL in other


# --- a stopped channel ----------------------------------------------------------------------------


def test_a_stopped_channel_says_why_and_goes_on_where_it_stopped(org, uri):
    org.log.expect_error('error handling worker')
    org.log.expect_error('failed with event .* the channel is stopped')
    ink = []
    handled = []

    class Service(Watched):
        @handle_platform_event('Low_Ink__e', attempts=1, on_failure='stop', order='channel')
        def ink(self, name, event):
            if not ink:
                raise ValueError('out of ink')
            handled.append(int(event.payload['Printer_Model__c']))

    running = org.run(Service, REPLAY_STORE_URI=uri)
    publish(org, 1)
    org.until('the stop', lambda: ask(running, 'report').channels[CHANNEL].state == 'stopped')
    publish(org, 2)
    [problem] = ask(running, 'report').problems
    assert 'out of ink' in problem
    ink.append('full')
    assert not ask(running, 'resume', '/event/Other__e')
    assert ask(running, 'resume', CHANNEL)
    org.until('both', lambda: handled == [1, 2])
    assert not ask(running, 'resume', CHANNEL)
    assert ask(running, 'report').problems == []


def test_a_channel_that_is_stopped_and_has_lost_its_position_goes_on_at_one_word(org, uri):
    org.log.expect_error('error handling worker')
    org.log.expect_error('failed with event .* the channel is stopped')
    broken, handled = [True], []

    class Service(Watched):
        @handle_platform_event('Low_Ink__e', attempts=1, on_failure='stop', on_gap='fail')
        def ink(self, name, event):
            if broken:
                raise ValueError('out of ink')
            handled.append(int(event.payload['Printer_Model__c']))

    store = Store(org, uri)
    keep(store, 17, seen_ago=80 * HOURS)
    store.store.add_dead_letter(letter_of(0))
    running = org.make(Service, REPLAY_STORE_URI=uri).start()
    org.until('the lost position', lambda: org.log.lines('not subscribed to until somebody decides'))
    [letter] = ask(running, 'box', 'list')
    with pytest.raises(TimeoutError):
        ask(running, 'box', 'run_again', letter.number, timeout=0.2)
    org.until('the stop', lambda: CHANNEL not in running.client.channels)
    broken.clear()
    publish(org, 1)
    assert ask(running, 'resume', CHANNEL)
    org.until('what was kept', lambda: sorted(handled) == [0, 1])
    publish(org, 2)
    org.until('the next one', lambda: sorted(handled) == [0, 1, 2])
    assert not ask(running, 'resume', CHANNEL)
    assert ask(running, 'report').channels[CHANNEL].repeated == 0


# --- gaps ---------------------------------------------------------------------------------------------


def test_a_lost_position_is_told_to_the_service(org, uri):
    org.log.expect_error('error handling worker')
    told = []

    class Service(Watched):
        @handle_platform_event('Low_Ink__e')
        def ink(self, name, event):
            pass

        @handle_gap
        def reconcile(self, gap):
            told.append(gap)
            if len(told) == 1:
                raise ConnectionError('the database is away')

    keep(Store(org, uri), 17, seen_ago=80 * HOURS)
    running = org.run(Service, REPLAY_STORE_URI=uri)
    org.until('the second attempt', lambda: len(told) == 2)
    assert told[0] == told[1]
    assert (told[0].channel, told[0].replay_id, told[0].chosen.value) == (CHANNEL, 17, 'earliest')
    assert told[0].age == pytest.approx(80 * HOURS, abs=60)
    assert ask(running, 'report').channels[CHANNEL].gaps == 1


# --- dead letters -------------------------------------------------------------------------------------


class Printer(Watched):
    """Fails for the numbers in `broken`."""

    broken: set
    handled: list

    @handle_platform_event('Low_Ink__e', attempts=1)
    def ink(self, name, event):
        number = int(event.payload['Printer_Model__c'])
        if number in self.broken:
            raise ValueError(f'printer {number} is broken')
        self.handled.append(number)


class Slow(list):
    """Takes a number when the gate opens."""

    def __init__(self, gate):
        self._gate = gate

    def append(self, number):
        self._gate.wait()
        super().append(number)


@pytest.fixture
def printer(org, uri):
    org.log.expect_error('error handling worker')
    org.log.expect_error('failed with event .* for good')
    kind = type('Service', (Printer,), {'broken': {1, 2}, 'handled': []})
    running = org.run(kind, REPLAY_STORE_URI=uri)
    publish(org, 1, 2, 3)
    org.until('two letters', lambda: ask(running, 'box', 'count') == 2)
    return running, kind


def test_dead_letters_are_listed_shown_and_dropped(org, printer):
    running, kind = printer
    first, second = ask(running, 'box', 'list')
    assert first.error == 'printer 1 is broken'
    assert ask(running, 'box', 'show', first.number) == first
    assert ask(running, 'box', 'list', CHANNEL, newest_first=True, count=1) == [second]
    assert ask(running, 'box', 'drop', first.number)
    assert not ask(running, 'box', 'drop', first.number)
    assert ask(running, 'box', 'show', first.number) is None


def test_a_dead_letter_is_run_again_by_its_handler(org, printer):
    running, kind = printer
    first, second = ask(running, 'box', 'list')
    kind.broken.discard(1)
    assert ask(running, 'box', 'run_again', first.number)
    assert kind.handled == [3, 1]
    assert not ask(running, 'box', 'run_again', second.number)
    [left] = ask(running, 'box', 'list')
    assert left.error == 'printer 2 is broken'
    assert left.number != second.number
    assert left.data == second.data
    with pytest.raises(LookupError, match='no dead letter'):
        ask(running, 'box', 'run_again', second.number)


def test_a_dead_letter_cannot_be_run_again_where_its_caller_has_the_only_worker(org, uri):
    org.log.expect_error('error handling worker')
    org.log.expect_error('failed with event .* for good')
    kind = type('Service', (Printer,), {'broken': {1}, 'handled': []})
    running = org.run(kind, REPLAY_STORE_URI=uri, max_workers=1)
    publish(org, 1)
    org.until('the letter', lambda: ask(running, 'box', 'count') == 1)
    [letter] = ask(running, 'box', 'list')
    with pytest.raises(TimeoutError, match=r'ink\(\) has not ended within'):
        ask(running, 'box', 'run_again', letter.number, timeout=0.2)
    assert ask(running, 'box', 'show', letter.number) == letter


def test_a_letter_stays_where_its_handler_skips_what_fails_by_now(org, uri, printer):
    running, kind = printer
    [letter, _] = ask(running, 'box', 'list')
    running.end('stop')

    class Service(Watched):
        @handle_platform_event('Low_Ink__e', attempts=1, on_failure='skip')
        def ink(self, name, event):
            raise ValueError('still broken')

    other = org.run(Service, REPLAY_STORE_URI=uri)
    assert not ask(other, 'box', 'run_again', letter.number)
    assert ask(other, 'box', 'show', letter.number) == letter


def test_a_letter_that_is_handled_when_nobody_waits_any_more_is_removed(org, printer, gate):
    running, kind = printer
    [first, _] = ask(running, 'box', 'list')
    kind.broken.discard(1)
    kind.handled = Slow(gate)
    with pytest.raises(TimeoutError, match='has not ended within 0.1 s'):
        ask(running, 'box', 'run_again', first.number, timeout=0.1)
    assert ask(running, 'box', 'show', first.number) == first
    gate.open()
    org.until('it to be gone', lambda: ask(running, 'box', 'show', first.number) is None)


def test_a_service_that_streams_nothing_says_that_it_has_no_letters(org, uri):
    org.log.expect_error('error handling worker')
    running = org.make(Watched, REPLAY_STORE_URI=uri).start()
    with pytest.raises(StoreFailed, match='streams nothing'):
        ask(running, 'box', 'count')
    assert ask(running, 'report').reason == 'not started'


def test_a_letter_whose_handler_is_gone_says_so(org, uri, printer):
    running, kind = printer
    [letter, *_] = ask(running, 'box', 'list')
    running.end('stop')

    class Service(Watched):
        @handle_sobject_notification('Contact')
        def contact(self, *args):
            pass

    other = org.run(Service, REPLAY_STORE_URI=uri)
    with pytest.raises(LookupError, match=r'no handler ink\(\) on /event/Low_Ink__e'):
        ask(other, 'box', 'run_again', letter.number)
