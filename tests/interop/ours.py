"""Our own client, set up to be quick, and what it received."""

from typing import Any

from nameko_salesforce.bayeux import Backoff, ChannelState, Client, Delivery, SessionOptions, State
from tests.interop.programs import SECONDS, TICK, wait_until

__all__ = ['Inbox', 'options', 'wait_for_channel', 'wait_for_state']


def options(**changes: Any) -> SessionOptions:
    """Options under which a client tries again within a tick or two instead of seconds."""
    quick = {
        'handshake_distance': 2 * TICK,
        'backoff': Backoff(first=TICK, cap=4 * TICK),
        'network_allowance': SECONDS / 2,
    }
    return SessionOptions(**{**quick, **changes})


class Inbox:
    """A callback that keeps what it gets."""

    def __init__(self) -> None:
        self.events: list[Delivery] = []

    def __call__(self, event: Delivery) -> None:
        self.events.append(event)

    @property
    def data(self) -> list[Any]:
        return [event.data for event in self.events]

    def wait_for(self, count: int) -> list[Any]:
        """Wait for a number of events and return the data of all there are by then."""
        try:
            wait_until(lambda: len(self.events) >= count, f'{count} events')
        except AssertionError as missing:
            raise AssertionError(
                f'{missing}; there came {len(self.data)}, the last {self.data[-3:]}'
            ) from None
        return self.data


def wait_for_state(client: Client, state: State) -> None:
    """Wait until the connection is in a state; fail with where it stands instead."""
    if not client.wait_for_state(state, SECONDS):
        raise AssertionError(
            f'not {state.value} within {SECONDS:g} s, but {client.state.value}: {client.why}'
        )


def wait_for_channel(client: Client, channel: str, state: ChannelState) -> None:
    """Wait until a subscription is in a state."""
    wait_until(lambda: client.channels[channel].state is state, f'{channel} is {state.value}')
