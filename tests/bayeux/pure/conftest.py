"""A session driven by hand: the test says what comes back, in wire form, and when."""

from collections.abc import Iterable, Mapping
from typing import Any

import pytest

from nameko_salesforce.bayeux.backoff import Backoff
from nameko_salesforce.bayeux.effects import (
    Abandon,
    Answered,
    ChannelChanged,
    Deliver,
    Effect,
    Lane,
    Prepare,
    PrepareChannel,
    Send,
    StateChanged,
)
from nameko_salesforce.bayeux.failures import Failure, FailureKind
from nameko_salesforce.bayeux.messages import parse
from nameko_salesforce.bayeux.options import SessionOptions
from nameko_salesforce.bayeux.policy import GenericPolicy, Policy
from nameko_salesforce.bayeux.session import Session
from nameko_salesforce.bayeux.transitions import State

RESET = Failure(FailureKind.RESET, 'by peer')


class Hand:
    """Carries out effects as the real driver would, but sends nothing: requests wait for the test's answer.

    Attributes:
        now: the clock, moved by `wait`.
        effects: everything the session has said, oldest first.
        out: the outstanding `Send` of each lane.
        prepares: False leaves preparations to the test.
    """

    def __init__(self, options: SessionOptions, policy: Policy, jitter: float = 0.0) -> None:
        self.session = Session(options, policy, lambda: jitter)
        self.now = 1000.0
        self.effects: list[Effect] = []
        self.out: dict[Lane, Send] = {}
        self.prepares = True
        self._tickets = 0

    # --- what users do ---------------------------------------------------------------------------

    def start(self) -> 'Hand':
        self.carry_out(self.session.start(self.now))
        return self

    def stop(self) -> None:
        self.carry_out(self.session.stop(self.now))

    def subscribe(self, channel: str) -> int:
        self._tickets += 1
        self.carry_out(self.session.subscribe(channel, self._tickets, self.now))
        return self._tickets

    def unsubscribe(self, channel: str) -> int:
        self._tickets += 1
        self.carry_out(self.session.unsubscribe(channel, self._tickets, self.now))
        return self._tickets

    def publish(self, channel: str, data: Any = None) -> int:
        self._tickets += 1
        self.carry_out(self.session.publish(channel, data, self._tickets, self.now))
        return self._tickets

    def brake(self) -> None:
        self.carry_out(self.session.brake(self.now))

    def release(self) -> None:
        self.carry_out(self.session.release(self.now))

    # --- what comes back -------------------------------------------------------------------------

    def answer(self, lane: Lane = Lane.POLL, /, *others: Mapping[str, Any], **fields: Any) -> None:
        """End the lane's exchange: `others` first, then a reply to each request with `fields`."""
        send = self.out.pop(lane)
        replies = [self.reply_to(request, **fields) for request in send.requests]
        self._respond(send, [*others, *replies])

    def respond(self, lane: Lane, messages: Iterable[Mapping[str, Any]]) -> None:
        """End the lane's exchange with exactly these messages."""
        self._respond(self.out.pop(lane), messages)

    def _respond(self, send: Send, messages: Iterable[Mapping[str, Any]]) -> None:
        self.receive(send.exchange, messages)
        self.carry_out(self.session.finished(send.exchange, self.now))

    def receive(self, exchange: int, messages: Iterable[Mapping[str, Any]]) -> None:
        self.carry_out(self.session.received(exchange, [parse(each) for each in messages], self.now))

    def fail(self, lane: Lane = Lane.POLL, failure: Failure = RESET) -> None:
        send = self.out.pop(lane)
        self.carry_out(self.session.failed(send.exchange, failure, self.now))

    @staticmethod
    def reply_to(request: Any, **fields: Any) -> dict[str, Any]:
        wire = request.wire()
        reply = {'channel': wire['channel'], 'id': wire['id'], 'successful': True}
        if 'subscription' in wire:
            reply['subscription'] = wire['subscription']
        if wire['channel'] == '/meta/handshake':
            reply.update(clientId='c1', version='1.0', supportedConnectionTypes=['long-polling'])
        return {**reply, **fields}

    # --- time ------------------------------------------------------------------------------------

    def wait(self, seconds: float) -> None:
        self.now += seconds
        self.carry_out(self.session.elapsed(self.now))

    def wait_for_deadline(self) -> float:
        """Move the clock to the session's deadline; how far that was."""
        assert self.session.deadline is not None, f'{self.session.state}: nothing is due'
        waited = self.session.deadline - self.now
        self.wait(max(waited, 0.0))
        return waited

    # --- places to begin from --------------------------------------------------------------------

    def to_handshaking(self) -> 'Hand':
        return self.start()

    def to_connecting(self, **handshake: Any) -> 'Hand':
        self.to_handshaking().answer(**handshake)
        return self

    def to_connected(self, **connect: Any) -> 'Hand':
        """One connect answered, the second outstanding."""
        self.to_connecting().answer(**connect)
        assert self.session.state is State.CONNECTED
        return self

    def to_proven(self) -> 'Hand':
        """Two good connects in a row: the failure count is clear."""
        self.to_connected().answer()
        return self

    # --- what it said ----------------------------------------------------------------------------

    @property
    def state(self) -> State:
        return self.session.state

    def sent(self, lane: Lane = Lane.POLL) -> list[dict[str, Any]]:
        """The wire form of the lane's outstanding request, [] where none is."""
        send = self.out.get(lane)
        return [] if send is None else [dict(request.wire()) for request in send.requests]

    def deliveries(self) -> list[Any]:
        return [event.data for each in self.effects if isinstance(each, Deliver) for event in each.deliveries]

    def answers(self) -> dict[int, Any]:
        return {each.ticket: each.error for each in self.effects if isinstance(each, Answered)}

    def said(self, kind: type) -> list[Any]:
        return [each for each in self.effects if isinstance(each, kind)]

    def moves(self) -> list[tuple[State, State]]:
        return [(each.old, each.new) for each in self.said(StateChanged)]

    def channel_changes(self) -> list[tuple[str, str, str]]:
        return [(each.channel, each.state.value, each.reason) for each in self.said(ChannelChanged)]

    # --- the driver ------------------------------------------------------------------------------

    def carry_out(self, effects: list[Effect]) -> None:
        for effect in effects:
            self.effects.append(effect)
            if isinstance(effect, Send):
                assert effect.lane not in self.out, f'two exchanges at once on the {effect.lane.value} lane'
                self.out[effect.lane] = effect
            elif isinstance(effect, Abandon):
                self.out.pop(effect.lane, None)
            elif isinstance(effect, Prepare) and self.prepares:
                self.carry_out(self.session.prepared(effect.attempt, None, self.now))
            elif isinstance(effect, PrepareChannel) and self.prepares:
                self.carry_out(self.session.channel_prepared(effect.channel, effect.attempt, None, self.now))


@pytest.fixture
def make_hand():
    """Makes a `Hand`: `make_hand(ack=True)` sets session options."""

    def make(policy: Policy = GenericPolicy(), jitter: float = 0.0, **options: Any) -> Hand:  # noqa: B008
        options.setdefault('backoff', Backoff(spread=0.0))
        return Hand(SessionOptions(**options), policy, jitter)

    return make


@pytest.fixture
def hand(make_hand):
    """A session with default options and no jitter, not started."""
    return make_hand()
