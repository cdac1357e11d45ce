"""A session and a fake broker in one room, under one clock that tests move.

Nothing here decides: requests and answers take their time through a network that a fault schedule
damages, as bytes, decoded by the real decoder. `Stream` is the client's side of it: it carries out
what the session says, and keeps what was delivered.
"""

import heapq
import itertools
import json
from collections import defaultdict
from collections.abc import Callable, Iterable
from random import Random
from typing import Any

from fake_salesforce.broker import Broker
from fake_salesforce.faults import Ending, FaultSchedule, Wire, damage, render
from fake_salesforce.journal import Kind
from fake_salesforce.rules import Rules
from fake_salesforce.settings import BrokerSettings

from nameko_salesforce.bayeux.decoder import MessageDecoder
from nameko_salesforce.bayeux.effects import (
    Abandon,
    Answered,
    Deliver,
    Effect,
    ForgetCookies,
    Lane,
    PollAnswered,
    PollLost,
    Prepare,
    PrepareChannel,
    Send,
    StateChanged,
)
from nameko_salesforce.bayeux.failures import Failure, FailureKind
from nameko_salesforce.bayeux.messages import Delivery, parse
from nameko_salesforce.bayeux.options import SessionOptions
from nameko_salesforce.bayeux.policy import GenericPolicy, Policy
from nameko_salesforce.bayeux.session import Session
from nameko_salesforce.bayeux.subscriptions import BRAKED
from nameko_salesforce.bayeux.transitions import ChannelState, State
from nameko_salesforce.replay.tracker import Ticket, Tracker

LATENCY = 0.02  # seconds, one way

# What a client must never do, whatever the network does to it. The others of the fake's list are
# left out for a reason: a poll whose connection broke may be held there when the next one comes
# ("overtaking"), and cookies that a lost answer set are not there ("cookie_missing").
INEXCUSABLE = {
    'early_poll',
    'large_request',
    'after_disconnect',
    'handshake_not_alone',
    'field_missing',
    'field_forbidden',
    'id_invalid',
    'id_repeated',
    'meta_subscription',
    'wild_publish',
    'ack_missing',
}


class World:
    """Clock, agenda, broker and network."""

    def __init__(
        self,
        settings: BrokerSettings,
        options: SessionOptions,
        seed: int = 0,
        *,
        policy: Policy | None = None,
        rules: Rules | None = None,
    ) -> None:
        self.now = 100.0
        self.random = Random(seed)
        self.broker = Broker(settings, Random(seed), rules=rules)
        self.faults = FaultSchedule()
        self.struck: dict[str, int] = defaultdict(int)
        self.published: dict[str, list[int]] = defaultdict(list)
        self._agenda: list[tuple[float, int, Callable[[], None]]] = []
        self._order = itertools.count()
        self._exchanges = itertools.count(1)
        self._waiting: dict[int, Callable[[Any], None]] = {}
        self.options = options
        self.policy = policy or GenericPolicy()
        self.stream = self.new_stream()

    def new_stream(self) -> 'Stream':
        return Stream(self, self.options, self.policy)

    # --- time ------------------------------------------------------------------------------------

    def at(self, moment: float, act: Callable[[], None]) -> None:
        heapq.heappush(self._agenda, (moment, next(self._order), act))

    def later(self, seconds: float, act: Callable[[], None]) -> None:
        self.at(self.now + seconds, act)

    def advance(self, seconds: float) -> None:
        """Let time pass, doing everything that falls due, in order."""
        end = self.now + seconds
        steps = 0
        while True:
            dues = [self._agenda[0][0]] if self._agenda else []
            dues += [due for due in (self.broker.deadline, self.stream.session.deadline) if due is not None]
            due = min(dues, default=end)
            if due > end:
                break
            self.now = max(self.now, due)
            self._do_due()
            steps += 1
            assert steps < 10_000 * max(1.0, seconds), 'a hot loop: time stands still'
            if not dues:
                break
        self.now = end

    def _do_due(self) -> None:
        while self._agenda and self._agenda[0][0] <= self.now:
            heapq.heappop(self._agenda)[2]()
        self.broker.elapsed(self.now)
        self._release()
        deadline = self.stream.session.deadline
        if deadline is not None and deadline <= self.now:
            self.stream.carry_out(self.stream.session.elapsed(self.now))

    # --- the server's side -----------------------------------------------------------------------

    def publish(self, channel: str) -> None:
        number = len(self.published[channel]) + 1
        self.published[channel].append(number)
        data = {'n': number} if self.broker.settings.profile == 'salesforce' else number
        self.broker.publish(channel, data, self.now)
        self._release()

    def restart(self) -> None:
        """The server starts again: sessions are lost, connections break."""
        for number in self.broker.restart(self.now):
            waiting = self._waiting.pop(number, None)
            if waiting is not None:
                waiting(Wire(None, b'', 0, ending=Ending.RESET))

    def disconnect_all(self) -> None:
        self.broker.disconnect(self.now)
        self._release()

    def _release(self) -> None:
        for number, answer in self.broker.take_answers():
            waiting = self._waiting.pop(number, None)
            if waiting is not None:
                waiting(answer)

    # --- the network -----------------------------------------------------------------------------

    def strike(self, fault: str) -> None:
        """A fault has struck, and did not only wait for its chance."""
        self.struck[fault] += 1

    def post(
        self, messages: list[dict[str, Any]], cookies: dict[str, str], arrive: Callable[[Wire], None]
    ) -> int:
        """Send a request; `arrive` is called with what comes back, unless nothing ever does."""
        number = next(self._exchanges)
        fault = self.faults.strike([each.get('channel') for each in messages])
        if fault is not None:
            self.strike(fault.kind.value)

        def back(answer: Any) -> None:
            wire = answer if isinstance(answer, Wire) else damage(fault, answer) if fault else render(answer)
            if wire.ending is not Ending.NEVER or wire.status is not None:
                self.later(LATENCY + wire.delay + wire.pace * len(wire.body), lambda: arrive(wire))

        def reach() -> None:
            if fault is not None and not fault.reaches_broker:
                back(damage(fault, None))
                return
            body = json.dumps(messages)
            how = {'size': len(body), 'authorization': f'Bearer {self.stream.token}', 'path': '67.0'}
            answer = self.broker.receive(number, json.loads(body), dict(cookies), self.now, **how)
            if answer is None:
                self._waiting[number] = back
            else:
                back(answer)
            self._release()

        self.later(LATENCY, reach)
        return number

    def hang_up(self, number: int) -> None:
        """The client closed its connection."""
        self._waiting.pop(number, None)
        self.later(LATENCY, lambda: self.broker.gone(number, self.now))

    # --- what must hold --------------------------------------------------------------------------

    def violations(self) -> list[str]:
        return [
            each.detail['violation']
            for each in self.broker.journal.entries(kind=Kind.VIOLATION)
            if each.detail['violation'] in INEXCUSABLE
        ]

    def check_always(self) -> None:
        """What holds at every moment, in words of the domain."""
        assert self.violations() == []
        stream, session = self.stream, self.stream.session
        moving = session.deadline is not None or Lane.POLL in stream.out
        assert moving or session.state in (State.IDLE, State.HALTED), f'{session.state} went silent'
        assert stream.out or stream.polls == [], 'the end of a poll was not told'
        for earlier, later in itertools.pairwise(stream.handshakes):
            assert later - earlier >= 5.0 - 1e-6, 'handshakes without their distance'
        for channel, numbers in stream.delivered.items():
            assert set(numbers) <= set(self.published[channel]), f'{channel}: an event nobody published'
        for channel, tracker in stream.trackers.items():
            for passed in (tracker.received, tracker.committable and tracker.committable.replay_id):
                before = range(1, stream.numbers.get((channel, passed), 0) + 1)
                assert set(before) <= set(stream.delivered[channel]), f'{channel}: a position passed an event'


class Stream:
    """The client's side: a session, its two connections, its cookies, and what was delivered.

    With Salesforce it keeps positions as a service does, with handlers that are done at once, and subscribes
    from those. `logins` counts how often it was asked for another token.
    """

    def __init__(self, world: World, options: SessionOptions, policy: Policy) -> None:
        self._world = world
        self.session = Session(options, policy, world.random.random)
        self.token = 'token 0'
        self.logins = 0
        self.trackers: dict[str, Tracker] = defaultdict(lambda: Tracker(None))
        self.numbers: dict[tuple[str, Any], int] = {}  # channel and replay id -> of the event
        self.beside: dict[str, Lane] = {}
        self.out: dict[Lane, tuple[int, int]] = {}  # exchange of the session, request of the network
        self.cookies: dict[str, str] = {}
        self.delivered: dict[str, list[int]] = defaultdict(list)
        self.answers: dict[int, Any] = {}
        self.handshakes: list[float] = []
        self.halts: list[str] = []
        self.polls: list[int] = []  # connects of which the end was not told
        self._tickets = itertools.count(1)

    def start(self) -> None:
        self.handshakes.clear()  # somebody's wish to start is not held back by what was before
        self.carry_out(self.session.start(self._world.now))

    def stop(self) -> None:
        self.carry_out(self.session.stop(self._world.now))

    def subscribe(self, channel: str) -> int:
        ticket = next(self._tickets)
        self.carry_out(self.session.subscribe(channel, ticket, self._world.now))
        return ticket

    def unsubscribe(self, channel: str) -> int:
        ticket = next(self._tickets)
        self.carry_out(self.session.unsubscribe(channel, ticket, self._world.now))
        return ticket

    def brake(self) -> None:
        self.carry_out(self.session.brake(self._world.now))

    def release(self) -> None:
        self.carry_out(self.session.release(self._world.now))

    def paused(self) -> set[str]:
        """Those that wait for the release; one that was refused before reads so until it is tried again."""
        channels = self.session.channels.items()
        return {name for name, status in channels if status.state in (*BRAKED, ChannelState.REFUSED)}

    def active(self) -> set[str]:
        return {name for name, status in self.session.channels.items() if status.state is ChannelState.ACTIVE}

    def carry_out(self, effects: list[Effect]) -> None:
        now = self._world.now
        for effect in effects:
            match effect:
                case Send():
                    self._send(effect)
                case Abandon(lane=lane):
                    if lane in self.out:
                        self._world.hang_up(self.out.pop(lane)[1])
                case Deliver(deliveries=deliveries):
                    for each in deliveries:
                        self._take(each, effect)
                case Prepare(attempt=attempt, login=login):
                    self.logins += login
                    self.token = f'token {self.logins}'
                    self.carry_out(self.session.prepared(attempt, None, now))
                case PrepareChannel(channel=channel, attempt=attempt):
                    received = self.trackers[channel].received
                    ext = {'replay': {channel: -2 if received is None else received}}
                    wanted = ext if self._world.broker.settings.profile == 'salesforce' else None
                    self.carry_out(self.session.channel_prepared(channel, attempt, wanted, now))
                case Answered(ticket=ticket, error=error):
                    assert ticket not in self.answers, f'ticket {ticket} was answered twice'
                    self.answers[ticket] = error
                case PollAnswered(poll=poll):
                    self.polls.remove(poll)  # fails where one is told to have ended twice
                    for channel in self._take_beside():
                        self.trackers[channel].poll_answered()
                case PollLost(poll=poll):
                    self.polls.remove(poll)
                    for channel in self._take_beside():
                        self.trackers[channel].poll_lost()
                case ForgetCookies():
                    self.cookies.clear()
                case StateChanged(new=new, why=why):
                    if new is State.HANDSHAKING:
                        self.handshakes.append(now)
                    if new is State.HALTED:
                        self.halts.append(why)
                case _:
                    pass

    def _take(self, delivery: Delivery, told: Deliver) -> None:
        channel, data = delivery.channel, delivery.data
        if isinstance(data, dict):
            tracker, replay_id = self.trackers[channel], data['event']['replayId']
            data = self.numbers[channel, replay_id] = data['n']
            ticket = Ticket(replay_id, None)
            is_new = tracker.arrived(ticket, provisional=told.poll is not None)
            if told.poll is not None and self.beside.setdefault(channel, told.lane) is not told.lane:
                tracker.mixed()
            if is_new:
                tracker.done(ticket)
        self.delivered[channel].append(data)

    def _take_beside(self) -> Iterable[str]:
        beside, self.beside = self.beside, {}
        return beside

    def _send(self, send: Send) -> None:
        assert send.lane not in self.out, f'two exchanges at once on the {send.lane.value} lane'
        messages = [dict(request.wire()) for request in send.requests]
        if messages[0]['channel'] == '/meta/connect':
            self.polls.append(send.exchange)
        number = self._world.post(messages, self.cookies, lambda wire: self._arrive(send, wire))
        self.out[send.lane] = (send.exchange, number)

        def give_up() -> None:
            if self.out.get(send.lane) == (send.exchange, number):
                self._world.hang_up(number)
                self._fail(send, Failure(FailureKind.TIMEOUT))

        self._world.later(send.read_timeout, give_up)

    def _arrive(self, send: Send, wire: Wire) -> None:
        if self.out.get(send.lane, (0, 0))[0] != send.exchange:
            return  # the connection was closed meanwhile
        now = self._world.now
        if wire.status is None:
            self._fail(send, Failure(FailureKind.RESET))
        elif wire.status != 200:
            retry_after = float(wire.headers.get('Retry-After', 0))
            self._fail(send, Failure(FailureKind.STATUS, '', wire.status, retry_after))
        else:
            cookie = wire.headers.get('Set-Cookie')
            if cookie:
                name, _, value = cookie.partition(';')[0].partition('=')
                self.cookies[name] = value
            if wire.timed_cookie is not None:
                self.cookies[wire.timed_cookie.name] = wire.timed_cookie.value
            decoder = MessageDecoder(2**20)
            messages = [parse(each) for each in decoder.feed(wire.body) if isinstance(each, dict)]
            if messages:
                self.carry_out(self.session.received(send.exchange, messages, now))
            failure = decoder.close()
            if failure is None and wire.ending is not Ending.COMPLETE:
                failure = Failure(FailureKind.TRUNCATED)
            self.end(send, failure)

    def end(self, send: Send, failure: Failure | None) -> None:
        """The body has been read to its end, whole or broken."""
        if failure is not None:
            self._fail(send, failure)
        elif self.out.get(send.lane, (0, 0))[0] == send.exchange:
            del self.out[send.lane]
            self.carry_out(self.session.finished(send.exchange, self._world.now))

    def _fail(self, send: Send, failure: Failure) -> None:
        if self.out.get(send.lane, (0, 0))[0] == send.exchange:
            del self.out[send.lane]
            self.carry_out(self.session.failed(send.exchange, failure, self._world.now))
