"""Session x broker under a virtual clock, with faults: what must hold at every moment and in the end."""

import itertools
from dataclasses import dataclass

import pytest
from fake_salesforce.faults import Fault, FaultKind
from fake_salesforce.settings import VANILLA
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from nameko_salesforce.bayeux.options import SessionOptions
from nameko_salesforce.bayeux.policy import GenericPolicy, Trouble, Verdict
from nameko_salesforce.bayeux.transitions import State
from tests.properties.world import World

CHANNELS = ['/a', '/b', '/c/d']
SUBSCRIPTIONS = ['/a', '/b', '/c/*']
META = ['/meta/handshake', '/meta/connect', '/meta/subscribe', '/meta/unsubscribe', '/meta/disconnect', None]

# Struck by these, a client sees what an honest server would never say, or the same events twice.
DISHONEST = {
    FaultKind.DUPLICATE,
    FaultKind.DUPLICATE_EVENTS,
    FaultKind.SERVER_DISCONNECT,
    FaultKind.NO_ID,
    FaultKind.NO_CHANNEL,
}


@dataclass(frozen=True, slots=True)
class Durable:
    """The generic policy, as if the server could replay some channels."""

    durable: tuple[str, ...]
    generic: GenericPolicy = GenericPolicy()

    def judge(self, trouble: Trouble) -> Verdict:
        return self.generic.judge(trouble)

    def is_durable(self, channel: str) -> bool:
        return channel in self.durable


class SessionAndBroker(RuleBasedStateMachine):
    """Users, a server's life, a bad network; and then the sun comes out."""

    @initialize(
        ack=st.booleans(),
        seed=st.integers(0, 2**16),
        interval=st.sampled_from([0.0, 0.0, 0.5]),
        replies_first=st.booleans(),
        send_max_interval=st.booleans(),
        notices_gone=st.booleans(),
        durable=st.sampled_from([(), (), ('/a',), ('/a', '/c/*', '/c/d')]),
    )
    def build(self, ack, seed, interval, replies_first, send_max_interval, notices_gone, durable):
        server = VANILLA.changed(
            {
                'interval': interval,
                'replies_first': replies_first,
                'send_max_interval': send_max_interval,
                'notices_gone': notices_gone,
            }
        )
        self.world = World(server, SessionOptions(ack=ack), seed, policy=Durable(durable))
        self.wanted = set()
        self.world.stream.start()

    @rule(channel=st.sampled_from(SUBSCRIPTIONS))
    def subscribe(self, channel):
        self.world.stream.subscribe(channel)
        self.wanted.add(channel)

    @rule(channel=st.sampled_from(SUBSCRIPTIONS))
    def unsubscribe(self, channel):
        self.world.stream.unsubscribe(channel)
        self.wanted.discard(channel)

    @rule(channel=st.sampled_from(CHANNELS), count=st.integers(1, 3))
    def publish(self, channel, count):
        for _ in range(count):
            self.world.publish(channel)

    @rule(seconds=st.sampled_from([0.01, 0.03, 0.05, 0.5, 3.0, 11.0, 40.0]))
    def time_passes(self, seconds):
        self.world.advance(seconds)

    @rule(
        kind=st.sampled_from(list(FaultKind)),
        channel=st.sampled_from(META),
        nth=st.integers(1, 3),
        count=st.integers(1, 4),
        size=st.integers(0, 200),
        status=st.sampled_from([401, 403, 413, 500, 503]),
        error=st.sampled_from(['403::Unknown client', '401::Authentication invalid']),
    )
    def a_fault_is_waiting(self, kind, channel, nth, count, size, status, error):
        self.world.faults.add(
            Fault(kind, channel, nth, count, bytes=size, status=status, error=error, seconds=0.02)
        )

    @rule()
    def those_who_take_the_events_have_enough(self):
        self.world.stream.brake()

    @rule()
    def they_go_on(self):
        self.world.stream.release()

    @rule()
    def the_server_starts_again(self):
        self.world.restart()

    @rule()
    def the_server_disconnects_everybody(self):
        self.world.disconnect_all()

    @precondition(lambda self: self.world.stream.session.state is State.HALTED)
    @rule()
    def somebody_starts_it_again(self):
        self.world.stream.start()

    @rule()
    def somebody_stops_it(self):
        self.world.stream.stop()

    @invariant()
    def it_never_goes_silent_and_never_misbehaves(self):
        if hasattr(self, 'world'):
            self.world.check_always()

    def teardown(self):
        if not hasattr(self, 'world'):
            return
        world, stream = self.world, self.world.stream
        world.faults.clear()
        world.advance(200)  # more than the longest pause and the longest poll
        if stream.session.state is State.HALTED:
            stream.start()
        world.advance(200)
        world.check_always()
        assert stream.session.state is State.CONNECTED
        assert stream.active() | stream.paused() == self.wanted, 'what is not paused is subscribed'
        stream.release()
        world.advance(100)
        world.check_always()
        assert stream.session.state is State.CONNECTED
        assert stream.active() == self.wanted, 'every wanted channel is subscribed in the end, and no other'
        before = {channel: len(numbers) for channel, numbers in stream.delivered.items()}
        for channel, _ in itertools.product(CHANNELS, range(3)):
            world.publish(channel)
        world.advance(5)
        for channel in CHANNELS:
            new = stream.delivered[channel][before.get(channel, 0) :]
            subscribed = channel in self.wanted or (channel == '/c/d' and '/c/*' in self.wanted)
            expected = world.published[channel][-3:] if subscribed else []
            assert new[-3:] == expected, f'{channel}: events published in fair weather arrive once, in order'


TestSessionAndBroker = SessionAndBroker.TestCase
TestSessionAndBroker.settings = settings(
    max_examples=150,
    stateful_step_count=30,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)


@pytest.mark.parametrize('kind', list(FaultKind))
@pytest.mark.parametrize('channel', ['/meta/handshake', '/meta/connect', '/meta/subscribe'])
def test_every_fault_at_every_step_ends_in_a_working_stream(kind, channel):
    world = World(VANILLA, SessionOptions())
    world.faults.add(Fault(kind, channel, nth=1, count=3))
    world.stream.subscribe('/a')
    world.stream.start()
    world.advance(400)
    assert world.struck[kind.value] >= 1, 'the fault never struck'
    if world.stream.session.state is State.HALTED:
        assert kind in DISHONEST
        world.stream.start()
        world.advance(100)
    world.check_always()
    assert world.stream.active() == {'/a'}
    world.publish('/a')
    world.advance(1)
    assert world.stream.delivered['/a'] == [1]


# OBJECT leaves out all messages but the last, which no client can notice.
@pytest.mark.parametrize('kind', [kind for kind in FaultKind if kind not in DISHONEST | {FaultKind.OBJECT}])
def test_with_ack_no_event_of_a_living_session_is_lost(kind):
    world = World(VANILLA.changed({'max_interval': 600.0}), SessionOptions(ack=True))
    world.stream.subscribe('/a')
    world.stream.start()
    world.advance(1)
    world.faults.add(Fault(kind, '/meta/connect', nth=2, count=2, bytes=60))
    for _ in range(20):
        world.publish('/a')
        world.advance(2)
    world.advance(200)
    assert world.struck[kind.value] >= 1, 'the fault never struck'
    assert len(world.stream.handshakes) == 1
    assert sorted(set(world.stream.delivered['/a'])) == world.published['/a']


@pytest.mark.parametrize('max_interval', [10.0, 600.0])
@pytest.mark.parametrize('durable', [(), ('/a',)])
def test_a_session_that_is_braked_for_an_hour_lives(max_interval, durable):
    world = World(VANILLA.changed({'max_interval': max_interval}), SessionOptions(), policy=Durable(durable))
    world.stream.subscribe('/a')
    world.stream.subscribe('/b')
    world.stream.start()
    world.advance(5)
    world.stream.brake()
    for _ in range(720):
        world.publish('/b')
        world.advance(5)
    assert world.stream.paused() == set(durable)
    assert len(world.stream.handshakes) == 1
    assert len(world.stream.delivered['/b']) > 715, 'late, but there'
    world.stream.release()
    world.advance(1)
    assert world.stream.active() == {'/a', '/b'}
    assert world.stream.delivered['/b'] == world.published['/b']
    world.check_always()


@pytest.mark.defect('D6')
def test_an_hour_of_quiet_polls_needs_one_handshake():
    world = World(VANILLA, SessionOptions())
    world.stream.subscribe('/a')
    world.stream.start()
    world.advance(3600)
    assert len(world.stream.handshakes) == 1
    world.check_always()


@pytest.mark.defect('D5')
@pytest.mark.parametrize('status', [401, 403, 503])
def test_an_hour_of_refusals_costs_few_requests(status):
    world = World(VANILLA, SessionOptions())
    world.faults.add(Fault(FaultKind.STATUS, status=status, count=None))
    world.stream.start()
    world.advance(3600)
    # Pauses of 30 to 60 s once the backoff has grown: 60 to 120 an hour, and a few at the beginning.
    assert 60 <= world.struck['status'] <= 130
