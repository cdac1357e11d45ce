"""A client whose consumer is slow: brake and release over real sockets, and what is told for positions."""

from collections import deque

import eventlet
import pytest
from fake_salesforce.client import start_fake

from nameko_salesforce.bayeux.effects import Deliver, Lane, PollAnswered, PollLost
from nameko_salesforce.bayeux.policy import GenericPolicy
from nameko_salesforce.bayeux.preparation import Prepared
from nameko_salesforce.bayeux.transitions import ChannelState, State
from tests.bayeux.client.conftest import TICK, until

TOPIC = '/topic/InvoiceStatementUpdates'  # one of the built-in seed

# Of real time for each second of the server's clock: the 40 s of Salesforce are 40 beats.
BEAT = 0.6 * TICK
SPEED = 1 / BEAT
LONGEST = 30 * BEAT


class Durable(GenericPolicy):
    def is_durable(self, channel):
        return channel == TOPIC


class Consumer:
    """Takes events as a runner would: a queue of its own with marks, and positions of what it has taken."""

    def __init__(self, high=200, low=50):
        self.high, self.low = high, low
        self.client = None
        self.waiting, self.handled, self.most = deque(), [], 0
        self.position, self.asked = -2, []
        self.gate = eventlet.event.Event()

    # the preparation

    def prepare(self, *, login):
        return Prepared(ext={'replay': True})

    def prepare_channel(self, channel, *, refusal):
        self.asked.append(self.position)
        return {'replay': {channel: self.position}}

    # the callback, and the worker behind it

    def take(self, event):
        self.position = event.data['event']['replayId']
        self.waiting.append(event.data['n'])
        self.most = max(self.most, len(self.waiting))
        if len(self.waiting) >= self.high:
            self.client.brake()
        while len(self.waiting) >= 2 * self.high:  # one response may hold any number
            eventlet.sleep(TICK / 50)

    def work(self):
        self.gate.wait()
        while True:
            eventlet.sleep(0.001)
            if self.waiting:
                self.handled.append(self.waiting.popleft())
            if len(self.waiting) <= self.low:
                self.client.release()


@pytest.fixture(scope='module')
def quick_process():
    with start_fake('--speed', str(SPEED)) as fake:
        yield fake


@pytest.fixture
def fake(quick_process):
    quick_process.reset('salesforce')
    return quick_process


@pytest.fixture
def consume(fake, make_client):
    """`consume(**options)` -> a `Consumer` with a client that is subscribed."""
    workers = []

    def start(**options):
        consumer = Consumer()
        token = fake.issue_token()
        consumer.client = make_client(
            longest_brake=options.pop('longest_brake', LONGEST),
            client={
                'headers': lambda: {'Authorization': f'Bearer {token}'},
                'preparation': consumer,
                'policy': Durable(),
                **options,
            },
        )
        consumer.client.subscribe(TOPIC, consumer.take).get(timeout=200 * TICK)
        workers.append(eventlet.spawn(consumer.work))
        return consumer

    yield start
    for worker in workers:
        worker.kill()


def publish(fake, numbers):
    fake.publish_many([(TOPIC, {'n': number}) for number in numbers])


def handshakes(fake):
    return len(fake.journal('reply', channel='/meta/handshake', successful=True))


def requests(fake, channel):
    return fake.journal('request', channel=channel)


def status(consumer):
    return consumer.client.channels[TOPIC]


def paused(fake, consumer):
    """Stands still until the channel is paused."""
    publish(fake, range(consumer.high))
    until(lambda: consumer.client.braked_for is not None, 'the brake')
    until(lambda: status(consumer).state is ChannelState.PAUSED, 'the pause')


# --- a slow consumer ----------------------------------------------------------------------------


def test_a_slow_consumer_loses_nothing_and_keeps_its_session(fake, consume):
    consumer = consume()
    consumer.gate.send()
    published = 0
    while published < 2000:
        publish(fake, range(published, published + 100))
        published += 100
        eventlet.sleep(TICK / 2)
    until(lambda: len(consumer.handled) >= published, 'all events')
    assert consumer.handled == list(range(published))
    assert consumer.most <= 2 * consumer.high
    assert len(requests(fake, '/meta/connect')) < 100, 'polls that wait bring more'
    assert handshakes(fake) == 1
    assert fake.violations() == []


def test_a_consumer_that_stands_still_is_paused_and_resumed_and_loses_nothing(fake, consume):
    consumer = consume()
    paused(fake, consumer)
    assert status(consumer).reason == 'more events come than are handled'
    publish(fake, range(200, 1000))
    eventlet.sleep(3 * LONGEST)  # two and more windows: the polls have to come in time
    assert (consumer.client.state, handshakes(fake)) == (State.CONNECTED, 1)
    assert len(consumer.waiting) == 200
    consumer.gate.send()
    until(lambda: len(consumer.handled) >= 1000, 'all events')
    assert consumer.handled == list(range(1000))
    assert status(consumer).state is ChannelState.ACTIVE
    assert len(consumer.asked) >= 2, 'prepared again, so that it goes on where it was'
    assert handshakes(fake) == 1
    assert fake.violations() == []


def test_without_the_bound_the_same_session_would_be_lost(fake, consume):
    """What the tests above rest on: the window is there, and 40 beats long."""
    consumer = consume(longest_brake=1000 * BEAT)
    publish(fake, range(consumer.high))
    until(lambda: consumer.client.braked_for is not None, 'the brake')
    until(lambda: fake.sessions() == [], 'the end of the session at the server')
    publish(fake, range(200, 300))
    consumer.gate.send()
    until(lambda: len(consumer.handled) >= 300, 'all events')
    assert consumer.handled == list(range(300)), 'and even then nothing is lost'
    assert handshakes(fake) == 2


@pytest.mark.parametrize('end', ['restart', 'disconnect_all'])
def test_a_session_that_ends_while_a_channel_is_paused_loses_nothing(fake, consume, end):
    consumer = consume()
    paused(fake, consumer)
    getattr(fake, end)()
    publish(fake, range(200, 400))
    until(lambda: handshakes(fake) == 2, 'the second session', beats=400)
    assert status(consumer).state is ChannelState.PAUSED
    consumer.gate.send()
    until(lambda: len(consumer.handled) >= 400, 'all events', beats=400)
    assert consumer.handled == list(range(400))
    assert fake.violations() == []


def test_a_paused_client_can_be_stopped_and_started_again(fake, consume):
    consumer = consume()
    paused(fake, consumer)
    consumer.client.stop()
    assert consumer.client.channels[TOPIC].state in (ChannelState.PAUSED, ChannelState.WANTED)
    consumer.client.start()
    publish(fake, range(200, 300))
    consumer.gate.send()
    until(lambda: len(consumer.handled) >= 300, 'all events')
    assert consumer.handled == list(range(300))


def test_a_brake_outlives_a_failure_from_within(fake, consume, caplog):
    consumer = consume()
    publish(fake, range(consumer.high))
    until(lambda: consumer.client.braked_for is not None, 'the brake')
    consumer.client._tell(lambda now: 1 / 0)
    until(lambda: consumer.client.state is State.CONNECTED, 'the new session')
    assert consumer.client._session.brake(consumer.client._clock()) == [], 'it is braked already'
    consumer.gate.send()
    publish(fake, range(200, 300))
    until(lambda: len(consumer.handled) >= 300, 'all events')
    caplog.clear()  # the failure from within was asked for


# --- brake and release --------------------------------------------------------------------------


def test_a_braked_poll_is_not_sent_and_a_released_one_is_at_once(fake, consume):
    consumer = consume()
    client = consumer.client
    until(lambda: any(each['held'] for each in fake.sessions()), 'a held poll')
    client.brake()
    polls = len(requests(fake, '/meta/connect'))
    publish(fake, [1])  # answers the poll
    until(lambda: consumer.waiting, 'the event')
    client.publish('/m', 1)  # no server of Salesforce takes it, but it is not delayed
    fake.wait_for('request', channel='/m')
    assert len(requests(fake, '/meta/connect')) == polls
    assert 0 <= client.braked_for < LONGEST
    assert client.state is State.CONNECTED
    client.release()
    client.release()
    assert client.braked_for is None
    until(lambda: len(requests(fake, '/meta/connect')) == polls + 1, 'the poll', beats=20)


def test_a_client_that_is_not_started_can_be_braked(fake, make_client):
    client = make_client(start=False)
    client.brake()
    client.release()
    client.brake()
    assert client.braked_for is not None
    client.kill()
    assert client.braked_for is not None


# --- what one learns who keeps positions --------------------------------------------------------


def test_events_and_the_ends_of_polls_are_told_in_order_of_arrival(fake, consume):
    told = []
    consumer = consume(follow=told.append)
    publish(fake, [1, 2])
    publish(fake, [3])
    until(lambda: len(consumer.waiting) == 3, 'the events')
    until(lambda: isinstance(told[-1], PollAnswered), 'the end of the poll')
    events = [
        each.data['n'] for arrival in told if isinstance(arrival, Deliver) for each in arrival.deliveries
    ]
    assert events == [1, 2, 3]
    assert {each.lane for each in told if isinstance(each, Deliver)} == {Lane.POLL}
    assert all(each.characters > 0 for each in told if isinstance(each, Deliver))
    assert not [each for each in told if isinstance(each, PollLost)]


@pytest.mark.parametrize('kind', ['truncate', 'drop_after'])
def test_what_a_lost_poll_held_comes_again_in_a_new_session(fake, consume, kind):
    told = []
    consumer = consume(follow=told.append)
    until(lambda: any(each['held'] for each in fake.sessions()), 'a held poll')
    publish(fake, [1])
    until(lambda: consumer.waiting, 'the first event')
    fake.faults.add(kind, channel='/meta/connect', bytes=20)
    publish(fake, [2])  # the poll that is held was let through before the fault
    until(lambda: len(consumer.waiting) == 2, 'the second event')
    publish(fake, [3, 4])
    until(lambda: len(consumer.waiting) == 4, 'the lost events')
    assert [each for each in fake.faults.list() if each['struck']]
    assert list(consumer.waiting) == [1, 2, 3, 4]
    assert handshakes(fake) == 2
    assert len([each for each in told if isinstance(each, PollLost)]) == 1
    assert fake.violations() == []


def test_a_session_that_fails_from_within_tells_the_end_of_its_poll_and_repeats_no_number(
    fake, consume, caplog
):
    told = []
    consumer = consume(follow=told.append)
    until(lambda: any(each['held'] for each in fake.sessions()), 'a held poll')
    consumer.client._tell(lambda now: 1 / 0)
    until(lambda: handshakes(fake) == 2, 'a new session')
    publish(fake, [1])
    until(lambda: consumer.waiting, 'the event')
    publish(fake, [2])
    until(lambda: len(consumer.waiting) == 2, 'the next one')
    ends = [each for each in told if isinstance(each, (PollAnswered, PollLost))]
    lost = [each for each in ends if isinstance(each, PollLost)]
    assert len(lost) == 1
    assert 'ZeroDivisionError' in lost[0].why
    numbers = [each.poll for each in ends]
    assert numbers == sorted(set(numbers))
    before = ends[: ends.index(lost[0])]
    assert all(each.poll < lost[0].poll for each in before)
    caplog.clear()  # of the bug that this test provokes


def test_a_poll_that_a_kill_cut_off_is_told_at_the_next_start(fake, consume):
    told = []
    consumer = consume(follow=told.append)
    until(lambda: any(each['held'] for each in fake.sessions()), 'a held poll')
    consumer.client.kill()
    assert not [each for each in told if isinstance(each, PollLost)]
    consumer.client.start()
    until(lambda: [each for each in told if isinstance(each, PollLost)], 'the end of the poll')
    until(lambda: isinstance(told[-1], PollAnswered), 'an answered poll')
    [lost] = [each for each in told if isinstance(each, PollLost)]
    assert told[-1].poll > lost.poll


# --- the mailbox --------------------------------------------------------------------------------


def test_reading_is_slowed_as_well_when_much_text_waits(fake, make_client):
    fake.reset('vanilla')
    limit = 100_000
    client = make_client(client={'mailbox_characters': limit})
    release, got, most = eventlet.event.Event(), [], []

    def slow(event):
        release.wait()
        got.append(event.data)
        most.append(client._dispatcher._mailbox._characters)

    client.subscribe('/a', slow).get(timeout=200 * TICK)
    fake.publish_many([('/a', 'x' * 10_000)] * 200)  # far fewer than `mailbox_limit`
    until(lambda: client._dispatcher._mailbox._characters > limit, 'a full mailbox')
    release.send()
    until(lambda: len(got) == 200, 'all events')
    assert max(most) <= limit + 3 * 65_536
