"""What can be subscribed to in Salesforce, what is replayed, and whom an event reaches. Pure."""

from collections.abc import Mapping
from random import Random
from typing import TYPE_CHECKING, Any

from . import channels, texts
from .filters import Filter, split
from .limits import EventAllowance
from .replay import ONLY_NEW, ReplayLogs
from .rules import Rules
from .sessions import Session
from .settings import SalesforceSettings

if TYPE_CHECKING:
    from .broker import Broker

__all__ = ['Streams']


class Streams:
    """Subscriptions and events of an org.

    Attributes:
        logs: what can be replayed.
    """

    def __init__(self, broker: 'Broker', random: Random, rules: Rules) -> None:
        self._broker = broker
        self._rules = rules
        self._allowance = EventAllowance()
        # By channel, all the names that were ever subscribed to: `/topic/X` and `/topic/X?a=b` have one.
        self._filters: dict[str, dict[str, Filter]] = {}
        self.logs = ReplayLogs(random, self._retention)

    @property
    def _settings(self) -> SalesforceSettings:
        settings = self._broker.settings
        assert isinstance(settings, SalesforceSettings)
        return settings

    def is_spent(self, now: float) -> bool:
        """Whether the org may be given no more events today."""
        return self._allowance.is_spent(self._settings.daily_event_limit, now)

    def allowances(self, now: float) -> dict[str, tuple[int, int]]:
        """The limits that REST tells under `limits`: name -> (most, left). What has no limit is not told."""
        events, clients = self._settings.daily_event_limit, self._settings.client_limit
        left = self._allowance.left(events, now)
        told = {
            # All kinds of events share one allowance here.
            'DailyDurableStreamingApiEvents': (events, left),
            'DailyDurableGenericStreamingApiEvents': (events, left),
            'DurableStreamingApiConcurrentClients': (clients, clients - len(self._broker.registry)),
        }
        return {name: (most, max(0, left)) for name, (most, left) in told.items() if most >= 0}

    def subscribe(self, session: Session, name: object, ext: Mapping[str, Any], now: float) -> str | None:
        """Subscribe a session to one channel, and queue what it misses; an error text if it cannot be."""
        if not isinstance(name, str) or not name:
            return texts.SUBSCRIPTION_MISSING
        channel, chosen = split(name)
        if (error := self._channel_problem(channel, chosen)) is not None:
            return error
        position: object = ONLY_NEW
        if 'replay' in ext:
            positions = ext['replay'] if isinstance(ext['replay'], dict) else {}
            position = positions.get(channel)
            if position is None:
                return texts.not_in_replay_map(channel)
        events = self.logs.since(channel, position, now)
        if events is None:
            return texts.invalid_replay_id(position)
        self._broker.registry.subscribe(session, name)
        self._filters.setdefault(channel, {})[name] = chosen
        for data in events:
            if chosen.lets_through(data) and self._may_be_given(session, now):
                session.enqueue(self._copy({'channel': channel, 'data': data}, session, name), lazy=False)
        return None

    def _channel_problem(self, channel: str, chosen: Filter) -> str | None:
        if not channel.startswith('/'):
            return texts.SLASH_MISSING
        if channels.is_meta(channel) or channels.is_service(channel):
            return texts.RESTRICTED_CHANNEL
        if (denied := channels.first_match(self._settings.deny_subscribe, channel)) is not None:
            return denied
        if channels.is_wild(channel) or (chosen.terms and not channel.startswith('/topic/')):
            return texts.no_such_channel(channel)
        return self._rules.topic_problem(channel, chosen.fields)

    def recipients(self, event: dict[str, Any], now: float) -> list[tuple[Session, dict[str, Any]]]:
        """Whom an event reaches, and in which form: once each, as far as the allowance goes."""
        copies: list[tuple[Session, dict[str, Any]]] = []
        seen: set[tuple[str, str]] = set()
        for name, chosen in self._filters.get(event['channel'], {}).items():
            if not chosen.lets_through(event['data']):
                continue
            for session in self._broker.registry.subscribers(name):
                copy = self._copy(event, session, name)
                # Two filters of one topic are one subscription to those who cannot tell them apart.
                if (session.client_id, copy['channel']) in seen:
                    continue
                if self._may_be_given(session, now):
                    seen.add((session.client_id, copy['channel']))
                    copies.append((session, copy))
        return copies

    def _may_be_given(self, session: Session, now: float) -> bool:
        """Whether an event may leave. A session that misses one gets no more: they would hide the gap."""
        if session.parting is None and not self._allowance.take(self._settings.daily_event_limit, now):
            session.parting = texts.DAILY_LIMIT
        return session.parting is None

    def _copy(self, event: Mapping[str, Any], session: Session, name: str) -> dict[str, Any]:
        """An event as this session gets it for this subscription."""
        copy = dict(event)
        if self._settings.events_name_filter:
            copy['channel'] = name
        if self._settings.events_name_client:
            copy['clientId'] = session.client_id
        return copy

    def _retention(self, channel: str) -> float:
        durable = channel.startswith(('/event/', '/data/'))
        return self._settings.retention_events if durable else self._settings.retention_topics
