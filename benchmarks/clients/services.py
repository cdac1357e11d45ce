"""What the two services of this library and the bare floor have in common: a real container, without AMQP."""

from collections.abc import Mapping
from typing import Any

import eventlet
import redis
from nameko.containers import ServiceContainer

from benchmarks.source import FIRST_REPLAY_ID, ORGANIZATION, TOKEN
from nameko_salesforce.replay.stores import open_store

__all__ = ['Finished', 'run', 'section']

SERVICE = 'bench'


class Finished:
    """Makes the main green thread wait for the last event."""

    def __init__(self) -> None:
        self._event = eventlet.Event()

    def tell(self) -> None:
        self._event.send(None)

    def wait(self) -> None:
        self._event.wait()


def section(what: Mapping[str, Any]) -> dict[str, Any]:
    """The configuration of a service that keeps positions in the Redis of the run."""
    return {
        'SALESFORCE': {
            'ACCESS_TOKEN': TOKEN,
            'LOGIN_URL': what['url'].split('/cometd')[0],
            'REPLAY_STORE_URI': what['redis'],
        }
    }


def run(service: type, config: Mapping[str, Any], finished: Finished) -> ServiceContainer:
    """Start a container and wait until its handlers have had the last event; the caller stops it."""
    container = ServiceContainer(service, dict(config))
    container.start()
    finished.wait()
    return container


def saved(what: Mapping[str, Any]) -> dict[str, Any]:
    """How often positions were saved; whether they stand at the last events. After the container's stop."""
    with redis.Redis.from_url(what['redis']) as client:
        calls = client.info('commandstats').items()
    store = open_store(what['redis'], organization=ORGANIZATION, service=SERVICE)
    positions = [store.load(channel) for channel in what['channels']]
    total = what['warm'] + what['events']
    last = set(range(FIRST_REPLAY_ID + total - len(positions), FIRST_REPLAY_ID + total))
    saves = sum(each['calls'] for name, each in calls if 'eval' in name)
    return {'saves': saves, 'complete': {each and each.replay_id for each in positions} == last}
