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
    from nameko_salesforce.bayeux.codec import Codec
    from nameko_salesforce.bayeux.effects import (
        ChannelChanged,
        Deliver,
        Lane,
        MessageSkipped,
        PollAnswered,
        PollLost,
        StateChanged,
    )
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
    from nameko_salesforce.bayeux.failures import Failure, FailureKind
    from nameko_salesforce.bayeux.lane import Extension
    from nameko_salesforce.bayeux.messages import Delivery, Reply
    from nameko_salesforce.bayeux.options import SessionOptions
    from nameko_salesforce.bayeux.policy import Action, GenericPolicy, Policy, Step, Trouble, Verdict
    from nameko_salesforce.bayeux.preparation import Preparation, PreparationFailed, Prepared
    from nameko_salesforce.bayeux.results import Result
    from nameko_salesforce.bayeux.subscriptions import ChannelStatus
    from nameko_salesforce.bayeux.transitions import ChannelState, State
    from nameko_salesforce.bayeux.transport import TransportOptions

__all__ = [
    'Action',
    'Backoff',
    'BayeuxError',
    'ChannelChanged',
    'ChannelState',
    'ChannelStatus',
    'Client',
    'Codec',
    'Deliver',
    'Delivery',
    'ExchangeFailed',
    'Extension',
    'Failure',
    'FailureKind',
    'GenericPolicy',
    'Lane',
    'LocalError',
    'MessageSkipped',
    'MessageTooLarge',
    'NotAnswered',
    'Policy',
    'PollAnswered',
    'PollLost',
    'Preparation',
    'PreparationFailed',
    'Prepared',
    'PublishRefused',
    'Refused',
    'RemoteError',
    'Reply',
    'Result',
    'SessionOptions',
    'State',
    'StateChanged',
    'Step',
    'Stopped',
    'SubscriptionRefused',
    'TransportOptions',
    'Trouble',
    'UnsubscriptionRefused',
    'Verdict',
    'subscribe',
]

_HOMES = {
    'Action': 'policy',
    'Backoff': 'backoff',
    'ChannelChanged': 'effects',
    'ChannelState': 'transitions',
    'ChannelStatus': 'subscriptions',
    'Client': 'client',
    'Codec': 'codec',
    'Deliver': 'effects',
    'Delivery': 'messages',
    'Extension': 'lane',
    'Failure': 'failures',
    'FailureKind': 'failures',
    'GenericPolicy': 'policy',
    'Lane': 'effects',
    'MessageSkipped': 'effects',
    'Policy': 'policy',
    'PollAnswered': 'effects',
    'PollLost': 'effects',
    'Preparation': 'preparation',
    'PreparationFailed': 'preparation',
    'Prepared': 'preparation',
    'Reply': 'messages',
    'Result': 'results',
    'SessionOptions': 'options',
    'State': 'transitions',
    'StateChanged': 'effects',
    'Step': 'policy',
    'TransportOptions': 'transport',
    'Trouble': 'policy',
    'Verdict': 'policy',
    'subscribe': 'extension',
}


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f'module {__name__!r} has no attribute {name!r}')
    home = _HOMES.get(name, 'errors')
    return getattr(import_module(f'{__name__}.{home}'), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
