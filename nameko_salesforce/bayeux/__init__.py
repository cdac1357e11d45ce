"""A Bayeux (CometD) client on green threads, and a Nameko entrypoint on top of it.

    from nameko_salesforce.bayeux import Client, subscribe

Names are resolved when first asked for: importing `nameko_salesforce.bayeux.session` loads neither
eventlet nor Nameko.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from nameko_salesforce.bayeux.backoff import Backoff
    from nameko_salesforce.bayeux.client import Client
    from nameko_salesforce.bayeux.errors import (
        BayeuxError,
        ExchangeFailed,
        LocalError,
        MessageTooLarge,
        NotAnswered,
        PublishRefused,
        Refused,
        RemoteError,
        Stopped,
        SubscriptionRefused,
        UnsubscriptionRefused,
    )
    from nameko_salesforce.bayeux.extension import subscribe
    from nameko_salesforce.bayeux.messages import Delivery
    from nameko_salesforce.bayeux.session import SessionOptions
    from nameko_salesforce.bayeux.transitions import ChannelState, State
    from nameko_salesforce.bayeux.transport import TransportOptions

__all__ = [
    'Backoff',
    'BayeuxError',
    'ChannelState',
    'Client',
    'Delivery',
    'ExchangeFailed',
    'LocalError',
    'MessageTooLarge',
    'NotAnswered',
    'PublishRefused',
    'Refused',
    'RemoteError',
    'SessionOptions',
    'State',
    'Stopped',
    'SubscriptionRefused',
    'TransportOptions',
    'UnsubscriptionRefused',
    'subscribe',
]

_HOMES = {
    'Backoff': 'backoff',
    'ChannelState': 'transitions',
    'Client': 'client',
    'Delivery': 'messages',
    'SessionOptions': 'session',
    'State': 'transitions',
    'TransportOptions': 'transport',
    'subscribe': 'extension',
}


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f'module {__name__!r} has no attribute {name!r}')
    home = _HOMES.get(name, 'errors')
    return getattr(import_module(f'{__name__}.{home}'), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
