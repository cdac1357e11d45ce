"""One process of a service: session, channels, runner and positions as they are, driven in steps.

Does what `Client`, `Dispatcher`, `Mailbox` and `Preparations` do in green threads: an inbox in front of the
session, a mailbox behind it that is worked off in order and waits where there is no room, preparations that
take time. When it dies nothing of it is left but what is on its way to others.
"""

from collections import deque
from collections.abc import Callable, Sequence
from itertools import groupby
from operator import attrgetter
from typing import Any

from nameko_salesforce.bayeux.effects import (
    ChannelChanged,
    Deliver,
    Effect,
    Lane,
    MetaReply,
    PollAnswered,
    PollLost,
    Prepare,
    PrepareChannel,
    Send,
)
from nameko_salesforce.bayeux.failures import Failure, FailureKind
from nameko_salesforce.bayeux.messages import Delivery
from nameko_salesforce.bayeux.preparation import PreparationFailed
from nameko_salesforce.bayeux.session import Session
from nameko_salesforce.bayeux.transitions import ChannelState, State
from nameko_salesforce.streaming.channel import Channel
from nameko_salesforce.streaming.positions import Positions
from nameko_salesforce.streaming.resumption import Resumption
from tests.properties.stepped import SteppedCommitter, SteppedRunner, SteppedWorkers, nothing
from tests.properties.world import Stream

# Of no handler, and without events.
ASIDE = '/topic/Aside'

ORGANIZATION = '00D000000000001AAA'


class Process(Stream):
    """From its start to its death.

    Attributes:
        alive: not dead.
        stopping: somebody has asked for its end.
    """

    def __init__(self, world: Any, channels: list[Channel], *, slots: int, limit: int) -> None:
        super().__init__(world, world.options, world.policy)
        self.world = world
        self.alive = True
        self.stopping = False
        self.limit = limit
        self.channels = {each.name: each for each in channels}
        self.positions = Positions(lambda organization: world.store, nothing)
        self.positions.open(ORGANIZATION)
        self.committer = SteppedCommitter(world.store, self)
        self.positions.committer = self.committer
        self.workers = SteppedWorkers(self, slots)
        self.runner = SteppedRunner(self, channels, self.workers, limit)
        self.takers = {each.name: self.runner.taker(each) for each in channels}
        self.resumption = Resumption(
            channels,
            self.positions,
            forget=self.runner.forget,
            obey=self.runner.obey,
            tell=world.gap_told,
            give_up=lambda error: None,
            lag=lambda: self.runner.lag,
            clock=lambda: world.now,
            wall=lambda: world.wall,
        )
        self._inbox: deque[Callable[[float], list[Effect]]] = deque()
        self._mailbox: deque[Any] = deque()
        self._taken = 0  # deliveries of the first item
        self.waiting = 0  # deliveries
        self.largest = 0
        self.most = 0  # events unfinished when last looked at
        self._endings: list[tuple[Send, Failure | None]] = []
        self._at_work = False
        self._command_ends = False

    # --- life --------------------------------------------------------------------------------------

    def begin(self) -> None:
        for name in self.channels:
            self.subscribe(name)
        self.start()

    def later(self, seconds: float, act: Callable[[], None]) -> None:
        """As the world's, unless the process has died."""
        self._at(self.world.now + seconds, act)

    def _at(self, moment: float, act: Callable[[], None]) -> None:
        def wake() -> None:
            if self.alive:
                act()
                self.go_on()

        self.world.at(moment, wake)

    def die(self) -> None:
        self.alive = False
        for _, number in self.out.values():
            self.world.hang_up(number)
        self.out.clear()
        self.polls.clear()
        self._inbox.clear()
        self._mailbox.clear()
        self._endings.clear()
        self.workers.running.clear()
        self.session = Session(self.world.options, self.world.policy, lambda: 0.0)

    def end_in_order(self, patience: float, then: Callable[[], None]) -> None:
        """Halt and say goodbye, let the workers finish, keep what is left, each for a bounded time."""
        self.stopping = True
        self.runner.halt()
        self._mailbox.clear()
        self.waiting = 0
        self.stop()
        world = self.world
        until = world.now + patience

        def workers_end() -> None:
            if self.workers.running and world.now < until:
                self.later(0.5, workers_end)
                return
            self.committer.hurry()
            keep(world.now + 3.0)

        def keep(end: float) -> None:
            if (self.committer.waiting or self.runner.letters.waiting) and world.now < end:
                self.later(0.1, lambda: keep(end))
            else:
                then()

        workers_end()

    # --- what the runner asks ------------------------------------------------------------------------

    def put_on_brake(self) -> None:
        self.world.saw('braked')
        self._inbox.append(self.session.brake)

    def take_off_brake(self) -> None:
        self._inbox.append(self.session.release)

    def subscribe_to(self, channel: Channel) -> None:
        self.world.saw('stopped channel goes on')
        self.most = max(self.most, self.runner.unfinished)  # what it holds counts again
        ticket = next(self._tickets)
        self._inbox.append(lambda now: self.session.subscribe(channel.name, ticket, now))

    def unsubscribe_from(self, channel: Channel) -> None:
        self.world.saw('channel stopped')
        ticket = next(self._tickets)
        self._inbox.append(lambda now: self.session.unsubscribe(channel.name, ticket, now))

    def mend(self) -> None:
        """Somebody has mended what stopped handlers, and lets their channels go on."""
        for channel in self.channels.values():
            if self.alive and not self.stopping:
                self.runner.stops.resume(channel)
        self.go_on()

    def use_command_lane(self) -> None:
        """Somebody subscribes to a channel that nobody handles here, or leaves it."""
        ticket, wanted = next(self._tickets), ASIDE not in self.session.channels
        ask = self.session.subscribe if wanted else self.session.unsubscribe
        self._inbox.append(lambda now: ask(ASIDE, ticket, now))
        self.go_on()

    # --- the driver ----------------------------------------------------------------------------------

    def carry_out(self, effects: list[Effect]) -> None:
        for effect in effects:
            self._carry(effect)
        self.go_on()

    def go_on(self) -> None:
        """Do all that can be done at this moment."""
        if self._at_work:
            return
        self._at_work = True
        try:
            while self.alive:
                if self._inbox:
                    for effect in self._inbox.popleft()(self.world.now):
                        self._carry(effect)
                elif self._endings and self.waiting <= self.limit:
                    self.end_now(*self._endings.pop(0))
                elif not self._dispatch():
                    look_again = self.runner.go_on()
                    if look_again is not None:
                        self._at(look_again, lambda: None)
                    if not (self._inbox or self._can_dispatch()):
                        break
        finally:
            self._at_work = False

    def end(self, send: Send, failure: Failure | None) -> None:
        """A lane reads to the end of a body only once there is room for what it brought."""
        if self.out.get(send.lane, (0, 0))[0] == send.exchange:
            self._endings.append((send, failure))
            self.go_on()

    def end_now(self, send: Send, failure: Failure | None) -> None:
        self._command_ends = send.lane is Lane.COMMAND
        super().end(send, failure)
        self._command_ends = False

    def _carry(self, effect: Effect) -> None:
        match effect:
            case Deliver(deliveries=deliveries):
                if self._command_ends and effect.lane is Lane.POLL:
                    self.world.saw('event in front of its replay')
                if not self.stopping:
                    self._mailbox.append(effect)
                    self.waiting += len(deliveries)
                    self.largest = max(self.largest, len(deliveries))
            case PollAnswered(poll=poll) | PollLost(poll=poll):
                self.polls.remove(poll)
                self._mailbox.append(effect)
            case MetaReply() | ChannelChanged():
                self._mailbox.append(effect)
            case Prepare():
                self._prepare(effect)
            case PrepareChannel():
                self._prepare_channel(effect)
            case _:
                super().carry_out([effect])

    def _prepare(self, command: Prepare) -> None:
        attempt, world = command.attempt, self.world

        def prepared() -> None:
            if world.login_fails:
                world.strike('login fails')
                failure = Failure(FailureKind.REQUEST, 'no login')
                self._inbox.append(lambda now: self.session.preparation_failed(attempt, failure, now))
                return
            if command.login:
                self.logins += 1
            self.token = world.new_token() if command.login else self.token
            self._inbox.append(lambda now: self.session.prepared(attempt, {'replay': True}, now))

        self.later(world.random.choice((0.0, 0.05, 0.5)), prepared)

    def _prepare_channel(self, command: PrepareChannel) -> None:
        channel, attempt, world = command.channel, command.attempt, self.world

        def look() -> None:
            if channel == ASIDE:
                ext: Any = {'replay': {ASIDE: -1}}
                self._inbox.append(lambda now: self.session.channel_prepared(channel, attempt, ext, now))
                return
            try:
                ext = {'replay': self.resumption.replay_map(channel, command.refusal, ORGANIZATION)}
            except PreparationFailed as problem:
                reason = str(problem.failure)
                self._inbox.append(
                    lambda now: self.session.channel_preparation_failed(channel, attempt, reason, now)
                )
                return
            self._inbox.append(lambda now: self.session.channel_prepared(channel, attempt, ext, now))

        asks_store = channel in self.channels and not self.channels[channel].loaded
        self.later(world.store.lag if asks_store else 0.0, look)

    # --- the dispatcher ------------------------------------------------------------------------------

    def _can_dispatch(self) -> bool:
        if not self._mailbox:
            return False
        item = self._mailbox[0]
        return not isinstance(item, Deliver) or not self._blocks(item)

    def _blocks(self, item: Deliver) -> bool:
        return self._taken < len(item.deliveries) and self.runner.blocks(
            self.channels[item.deliveries[self._taken].channel]
        )

    def _row(self, deliveries: Sequence[Delivery]) -> list[Delivery]:
        """Those at the beginning that are of one channel, as far as there is room."""
        _, row = next(groupby(deliveries, attrgetter('channel')))
        return list(row)[: max(1, self.runner.room)]

    def _dispatch(self) -> bool:
        """One item, or what there is room for; whether anything was done."""
        if not self._can_dispatch():
            if self._mailbox:
                self.world.saw('no room')
            return False
        item = self._mailbox[0]
        match item:
            case Deliver(deliveries=deliveries, poll=poll):
                if not self._taken:
                    self.runner.follow(item)
                while self._taken < len(deliveries):
                    if self._blocks(item):
                        return True
                    row = self._row(deliveries[self._taken :])
                    self._taken += len(row)
                    self.waiting -= len(row)
                    name = row[0].channel
                    if not self.runner.is_stopped(self.channels[name]):
                        for delivery in row:
                            self.world.logs[name].arrived(delivery, beside=poll is not None)
                            if poll is not None:
                                self.world.saw('event beside a poll')
                    self.takers[name](row)
                self._taken = 0
            case PollAnswered() | PollLost():
                if isinstance(item, PollLost) and self.runner._beside:
                    self.world.saw('poll lost beside events')
                self.runner.follow(item)
                self.resumption.poll_ended(item)
            case MetaReply(reply=reply):
                if reply.channel == '/meta/connect' and reply.successful:
                    self.resumption.connected()
            case ChannelChanged(channel=name, state=state) if name != ASIDE:
                channel = self.channels[name]
                self.resumption.subscribed(name, state is ChannelState.ACTIVE)
                if state is ChannelState.GONE:
                    self.runner.stops.gone(channel)
                if state is ChannelState.PAUSED:
                    self.world.saw('channel paused')
        self._mailbox.popleft()
        return True

    # --- what can be seen ----------------------------------------------------------------------------

    @property
    def where(self) -> str:
        """The state of the session; connected with the brake on, or with channels paused, is another."""
        state = self.session.state
        if state is not State.CONNECTED:
            return state.value
        if any(each.state is ChannelState.PAUSED for each in self.session.channels.values()):
            return 'paused'
        return 'braked' if self.runner._load.is_braked else 'connected'

    @property
    def halted(self) -> set[str]:
        """Channels that wait for somebody's decision about a lost position."""
        channels = self.channels.items()
        return {name for name, each in channels if each.halted and not self.runner.is_stopped(each)}

    @property
    def is_settled(self) -> bool:
        """Whether nothing is left to be done."""
        return (
            self.session.state is State.CONNECTED
            and self.active() - {ASIDE} == self.channels.keys() - self.halted
            and not self.runner.unfinished
            and not self.committer.waiting
            and not self.runner.letters.waiting
        )
