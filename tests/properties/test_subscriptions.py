"""The book of subscriptions against a naive server: everybody is answered once, and in the end all agree.

Seeded walks, not Hypothesis: the book is small and quick, and the few unlucky orders want many walks.
"""

import itertools
from random import Random

import pytest

from nameko_salesforce.bayeux.backoff import Backoff
from nameko_salesforce.bayeux.effects import Answered
from nameko_salesforce.bayeux.subscriptions import BRAKED, Subscriptions
from nameko_salesforce.bayeux.transitions import ChannelState


class Walk:
    """Users who change their minds, a lane that loses answers, sessions that end."""

    def __init__(self, random):
        self.random = random
        self.now = 100.0
        self.said = []
        self.book = Subscriptions(Backoff(), lambda: 0.0, self.said.append)
        self.tickets = itertools.count(1)
        self.asked = set()
        self.wanted = set()
        self.under_way = []  # (subscribe?, channel)
        self.preparing = []
        self.server = set()
        self.held = set()  # paused
        self.seen = set()  # states, as they are shown

    def step(self):
        users = [self.subscribe, self.unsubscribe]
        lane = [self.works, self.works, self.accept, self.accept, self.refuse, self.lose]
        brake = [self.pause, self.resume]
        self.random.choice([*users, *lane, *brake, self.time_passes, self.session_lost])()
        self.seen |= {each.state for each in self.book.status().values()}

    # --- users -----------------------------------------------------------------------------------

    def subscribe(self):
        channel = self.random.choice('aab')
        self.wanted.add(channel)
        self.book.subscribe(channel, self.ticket(), self.now)

    def unsubscribe(self):
        channel = self.random.choice('aab')
        self.wanted.discard(channel)
        self.book.unsubscribe(channel, self.ticket())

    def ticket(self):
        ticket = next(self.tickets)
        self.asked.add(ticket)
        return ticket

    # --- the session -----------------------------------------------------------------------------

    def time_passes(self):
        self.now += self.random.choice([0.0, 1.0, 100.0])

    def works(self, preparations=None):
        preparations = preparations or self.random.choice(['good', 'good', 'bad', 'late'])
        self.preparing += [(channel, attempt) for channel, attempt, _ in self.book.due(self.now)]
        while self.preparing and preparations != 'late':
            channel, attempt = self.preparing.pop(0)
            if preparations == 'good':
                self.book.prepared(channel, attempt, None)
            else:
                self.book.preparation_failed(channel, attempt, 'store down', self.now)
        if not self.under_way:
            for state, channel, _ in self.book.to_send():
                self.under_way.append((state is ChannelState.READY, channel))
                self.book.sent(channel)

    def accept(self):
        if self.under_way:
            self.book.accepted(self.served())

    def refuse(self):
        # A server that keeps what it was asked to end: nothing helps, so it does not happen here.
        if self.under_way:
            joins, channel = self.under_way.pop(0)
            if not joins:
                self.server.discard(channel)
            self.book.refused(channel, '403::no', 0.0, self.now)

    def lose(self):
        if self.under_way:
            channel = self.served() if self.random.random() < 0.5 else self.under_way.pop(0)[1]
            self.book.lost(channel, 'connection lost')

    def served(self):
        joins, channel = self.under_way.pop(0)
        (self.server.add if joins else self.server.discard)(channel)
        return channel

    def session_lost(self):
        self.under_way.clear()
        self.server.clear()
        self.book.session_lost('402::session_unknown')

    def pause(self):
        self.held = {'a'}
        self.book.pause(self.held.__contains__)

    def resume(self):
        self.held = set()
        self.book.resume('released')

    # --- what must hold --------------------------------------------------------------------------

    def answered(self):
        return [each.ticket for each in self.said if isinstance(each, Answered)]

    def check(self):
        assert self.wanted <= set(self.book.status()), 'a wanted channel is never absent'
        for name, status in self.book.status().items():
            assert name in self.held or status.state not in BRAKED, f'{name} is paused without a brake'
        for state, name, _ in self.book.to_send():
            assert state is not ChannelState.READY or name not in self.held, f'{name} is subscribed to'

    def settle(self):
        for _ in range(10):
            self.now += 1000
            self.works('good')
            while self.under_way:
                self.accept()

    def end(self):
        self.settle()
        assert self.server == self.wanted - self.held, 'what is paused is not at the server, all else is'
        self.resume()
        self.settle()
        status = self.book.status()
        assert {name for name, each in status.items() if each.state is ChannelState.ACTIVE} == self.wanted
        assert set(status) == self.wanted
        assert self.server == self.wanted, 'the server has what is wanted, and nothing else'
        assert sorted(self.answered()) == sorted(self.asked), 'everybody is answered, once'


@pytest.mark.parametrize('first', range(0, 5000, 1000))
def test_whatever_happens_everybody_is_answered_once_and_the_server_has_what_is_wanted(first):
    seen = set()
    for seed in range(first, first + 1000):
        walk = Walk(Random(seed))
        for _ in range(25):
            walk.step()
            walk.check()
        walk.end()
        seen |= walk.seen
    assert seen == set(ChannelState) - {ChannelState.GONE}, 'the walks come by every state'
