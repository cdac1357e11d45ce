"""Makes the report of a service's streams. Floor 4: reads what there is, changes nothing, does no I/O."""

import time
from typing import TYPE_CHECKING

from nameko_salesforce.bayeux.channels import without_filter
from nameko_salesforce.bayeux.client import Client
from nameko_salesforce.bayeux.transitions import State
from nameko_salesforce.streaming.channel import Channel
from nameko_salesforce.streaming.status import ChannelReport, StreamReport

if TYPE_CHECKING:
    from nameko_salesforce.streaming.connection import SalesforceConnection

__all__ = ['make_report']


def make_report(connection: 'SalesforceConnection') -> StreamReport:
    """What is known now; also before the service has started, and where it streams nothing."""
    client, runner = connection.client, connection.runner
    if client is None or runner is None:
        return StreamReport(
            state=State.IDLE.value,
            state_for=0.0,
            reason='not started',
            client_id='',
            reconnects={},
            braked_for=None,
            dropped=0,
            store='',
            store_failing_for=None,
            unsaved_positions=0,
            unsaved_letters=0,
            channels={},
        )
    committer, store = connection.positions.committer, connection.positions.store
    failing = None if committer is None else committer.failing_for
    return StreamReport(
        state=client.state.value,
        state_for=client.state_for,
        reason=client.why,
        client_id=client.client_id,
        reconnects=client.losses,
        braked_for=client.braked_for,
        dropped=runner.dropped,
        store='' if store is None else store.place,
        store_failing_for=failing,
        unsaved_positions=0 if committer is None else committer.waiting,
        unsaved_letters=runner.letters.waiting,
        channels={each.name: _of_channel(connection, client, each) for each in runner.channels},
    )


def _of_channel(connection: 'SalesforceConnection', client: Client, channel: Channel) -> ChannelReport:
    numbers = channel.work.numbers()
    committer = connection.positions.committer
    kept = None if committer is None else committer.saved.get(without_filter(channel.name))
    state, reason = _state_of(client, channel)
    return ChannelReport(
        channel=channel.name,
        state=state,
        reason=reason,
        last_event_at=channel.last_event_at,
        lag=channel.lag(time.time(), time.monotonic()),
        received=channel.work.received,
        committed=None if kept is None else kept.replay_id,
        committed_age=None if kept is None or not kept.seen_until else kept.age(time.time()),
        unfinished=numbers.unfinished,
        in_flight=numbers.in_flight,
        waiting=numbers.waiting,
        retrying=numbers.retrying,
        handled=numbers.handled,
        retries=numbers.retries,
        dead_letters=numbers.dead_letters,
        skipped=numbers.skipped,
        repeated=numbers.dropped,
        unread=connection.unread.get(without_filter(channel.name), 0),
        gaps=channel.gaps,
    )


def _state_of(client: Client, channel: Channel) -> tuple[str, str]:
    if channel.halted:
        return 'stopped', channel.halted
    known = client.channels.get(channel.name)
    return ('gone', 'not subscribed to') if known is None else (known.state.value, known.reason)
