"""Session and policy for Salesforce x the broker in its manner: what its servers do costs no event."""

from fake_salesforce.faults import Fault, FaultKind
from fake_salesforce.settings import SALESFORCE
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from nameko_salesforce.bayeux.options import SessionOptions
from nameko_salesforce.bayeux.transitions import State
from nameko_salesforce.streaming.policy import SalesforcePolicy
from tests.properties.world import World

CHANNELS = ['/topic/A', '/event/B__e']
# The broker has done its part, and nobody hears of it.
LOSSES = [FaultKind.DROP_AFTER, FaultKind.TRUNCATE, FaultKind.EMPTY]
META = ['/meta/handshake', '/meta/connect', '/meta/subscribe']


class Org:
    """One user, one good token; every channel exists."""

    def __init__(self):
        self.token = 0

    def user_of(self, authorization, now):
        return '005A' if authorization == f'Bearer token {self.token}' else None

    def topic_problem(self, channel, fields):
        return None


class Durable(SalesforcePolicy):
    """As it is where positions are kept."""

    def is_durable(self, channel):
        return True


class StreamOfAnOrg(RuleBasedStateMachine):
    """Salesforce's life; and then the sun comes out."""

    @initialize(seed=st.integers(0, 2**16), replies_first=st.booleans(), form=st.booleans())
    def build(self, seed, replies_first, form):
        changes = {'replies_first': replies_first, 'unknown_client_disconnects': form}
        self.org = Org()
        self.world = World(
            SALESFORCE.changed(changes),
            SessionOptions(longest_brake=30.0),
            seed,
            policy=Durable(),
            rules=self.org,
        )
        for channel in CHANNELS:
            self.world.stream.subscribe(channel)
        self.world.stream.start()

    def change(self, **changes):
        self.world.broker.settings = self.world.broker.settings.changed(changes)

    @rule(channel=st.sampled_from(CHANNELS), count=st.integers(1, 3))
    def events_are_published(self, channel, count):
        for _ in range(count):
            self.world.publish(channel)

    @rule(seconds=st.sampled_from([0.01, 0.05, 1.0, 30.0, 120.0, 900.0]))
    def time_passes(self, seconds):
        self.world.advance(seconds)

    @rule()
    def routing_ends(self):
        self.world.broker.manner.routes.close_all(self.world.now)

    @rule()
    def the_token_dies(self):
        self.org.token = self.world.stream.logins + 1

    @rule()
    def the_server_starts_again(self):
        self.world.restart()

    @rule()
    def the_server_disconnects_everybody(self):
        self.world.disconnect_all()

    @rule(busy=st.sets(st.sampled_from(META)))
    def the_server_is_busy(self, busy):
        self.change(busy=sorted(busy))

    @rule(limit=st.sampled_from([0, 5, 2000]))
    def the_limit_of_clients_changes(self, limit):
        self.change(client_limit=limit)

    @rule(limit=st.sampled_from([0, 3, 1_000_000]))
    def the_daily_limit_changes(self, limit):
        self.change(daily_event_limit=limit)

    @rule()
    def those_who_take_the_events_have_enough(self):
        self.world.stream.brake()

    @rule()
    def they_go_on(self):
        self.world.stream.release()

    @rule(kind=st.sampled_from(LOSSES), channel=st.sampled_from([*META, None]), size=st.integers(0, 400))
    def an_answer_is_lost(self, kind, channel, size):
        self.world.faults.add(Fault(kind, channel, bytes=size))

    @rule(
        channel=st.sampled_from(['/meta/connect', '/meta/subscribe', '/meta/unsubscribe']),
        seconds=st.sampled_from([0.03, 0.5, 2.0, 6.0, 12.0]),
    )
    def an_answer_is_overtaken(self, channel, seconds):
        self.world.faults.add(Fault(FaultKind.DELAY, channel, seconds=seconds))

    @rule(denied=st.sets(st.sampled_from(CHANNELS)))
    def channels_are_refused(self, denied):
        self.change(deny_subscribe=dict.fromkeys(sorted(denied), '500::Something is wrong'))

    @rule(channel=st.sampled_from(CHANNELS), seconds=st.sampled_from([0.0, 0.03, 1.0]))
    def a_channel_is_left_and_wanted_again(self, channel, seconds):
        self.world.stream.unsubscribe(channel)
        self.world.advance(seconds)
        self.world.stream.subscribe(channel)

    @invariant()
    def it_never_goes_silent_and_never_misbehaves(self):
        if hasattr(self, 'world'):
            self.world.check_always()
            assert self.world.stream.session.state is not State.HALTED

    def teardown(self):
        if not hasattr(self, 'world'):
            return
        self.world.faults.clear()
        self.change(busy=[], client_limit=2000, daily_event_limit=1_000_000, deny_subscribe={})
        self.world.advance(2000)  # more than the longest pause of all
        self.world.check_always()
        assert self.world.stream.session.state is State.CONNECTED
        stream = self.world.stream
        assert stream.active() | stream.paused() == set(CHANNELS), 'what is not paused is subscribed'
        stream.release()
        self.world.advance(100)
        assert stream.active() == set(CHANNELS)
        for channel in CHANNELS:
            self.world.publish(channel)
        self.world.advance(5)
        for channel in CHANNELS:
            assert set(stream.delivered[channel]) == set(self.world.published[channel])
        self.world.advance(200)
        for channel in CHANNELS:
            last = stream.trackers[channel].committable.replay_id
            assert stream.numbers[channel, last] == len(self.world.published[channel]), 'positions keep up'


TestStreamOfAnOrg = StreamOfAnOrg.TestCase
TestStreamOfAnOrg.settings = settings(
    max_examples=100, stateful_step_count=30, deadline=None, suppress_health_check=list(HealthCheck)
)
