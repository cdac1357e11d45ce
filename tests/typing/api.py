"""The whole public API as a user writes it. Never executed: `make static` reads it with mypy strict.

A signature that becomes narrower, or loses its type, breaks the build here and not at a user's.
"""

import json
import random
import time
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any, assert_type

import eventlet

import nameko_salesforce
from nameko_salesforce.api import NoConnectionFree, RestClient, SalesforceAPI
from nameko_salesforce.bayeux import (
    Action,
    Backoff,
    BayeuxError,
    ChannelChanged,
    ChannelState,
    ChannelStatus,
    Client,
    Codec,
    Deliver,
    Delivery,
    ExchangeFailed,
    Extension,
    Failure,
    FailureKind,
    GenericPolicy,
    Lane,
    LocalError,
    MessageSkipped,
    MessageTooLarge,
    NotAnswered,
    Policy,
    PollAnswered,
    PollLost,
    Preparation,
    PreparationFailed,
    Prepared,
    PublishRefused,
    Refused,
    RemoteError,
    Reply,
    Result,
    SessionOptions,
    State,
    StateChanged,
    Step,
    Stopped,
    SubscriptionRefused,
    TransportOptions,
    Trouble,
    UnsubscriptionRefused,
    Verdict,
    subscribe,
)
from nameko_salesforce.bayeux.codec import JSON
from nameko_salesforce.bayeux.extension import BayeuxConnection
from nameko_salesforce.bayeux.settings import BayeuxSettings

assert_type(nameko_salesforce.__version__, str)


# --- the seams, each filled by somebody who knows only its protocol -------------------------------


class PatientPolicy:
    def __init__(self) -> None:
        self.generic = GenericPolicy(connects_before_handshake=5, limit_pause=300.0)

    def judge(self, trouble: Trouble) -> Verdict:
        if trouble.step is Step.COMMAND and trouble.reply is not None:
            return Verdict(Action.REFUSE, trouble.reason, pause=60.0)
        if trouble.failure is not None and trouble.failure.kind is FailureKind.STATUS:
            assert_type(trouble.failure.status, int | None)
            return Verdict(Action.RETRY, trouble.text, trouble.failure.retry_after)
        assert_type(trouble.failures, int)
        assert_type(trouble.server_disconnected, bool)
        if trouble.durable:
            return Verdict(Action.HANDSHAKE, trouble.reason)
        return self.generic.judge(trouble)

    def is_durable(self, channel: str) -> bool:
        return channel.startswith('/topic/')


class Positions:
    def prepare(self, *, login: bool) -> Prepared:
        if login:
            raise PreparationFailed('401::Authentication invalid')
        return Prepared(url='https://example.com/cometd', ext={'replay': True})

    def prepare_channel(self, channel: str, *, refusal: str) -> Mapping[str, Any] | None:
        if refusal:
            raise PreparationFailed(Failure(FailureKind.TIMEOUT, 'store', retry_after=1.0))
        return {'replay': {channel: -1}}


class Stamp:
    def outgoing(self, message: dict[str, Any]) -> Mapping[str, Any]:
        return {**message, 'ext': {'stamp': 1}}

    def incoming(self, message: dict[str, Any]) -> Mapping[str, Any] | None:
        return None if message.get('channel') == '/noise' else message


policy: Policy = PatientPolicy()
preparation: Preparation = Positions()
extension: Extension = Stamp()
defaults: tuple[Policy, Preparation] = (GenericPolicy(), Positions())


def headers() -> dict[str, str]:
    return {'Authorization': 'Bearer token'}


def observe(notice: StateChanged | ChannelChanged | MessageSkipped) -> None:
    match notice:
        case StateChanged(old=old, new=new, why=why, failures=failures, wait=wait):
            assert_type((old, new), tuple[State, State])
            assert_type((why, failures, wait), tuple[str, int, float | None])
        case ChannelChanged(channel=channel, state=state, reason=reason):
            assert_type((channel, state, reason), tuple[str, ChannelState, str])
        case MessageSkipped(skipped=skipped):
            assert_type(skipped.channel, str | None)


def follow(arrival: Deliver | PollAnswered | PollLost) -> None:
    match arrival:
        case Deliver(lane=lane, deliveries=deliveries, characters=characters, poll=poll):
            assert_type((lane, characters, poll), tuple[Lane, int, int | None])
            assert_type(deliveries[0], Delivery)
        case PollAnswered(poll=poll):
            assert_type(poll, int)
        case PollLost(poll=poll, why=why):
            assert_type((poll, why), tuple[int, str])


def spawn(function: Callable[[], None]) -> object:
    return eventlet.spawn(function)


# --- the client -----------------------------------------------------------------------------------

client = Client(
    'https://example.com/cometd',
    headers=headers,
    session=SessionOptions(
        version='1.0',
        minimum_version='1.0',
        ext={'replay': True},
        ack=True,
        network_allowance=15.0,
        assumed_hold=120.0,
        handshake_distance=5.0,
        disconnect_timeout=5.0,
        longest_brake=7.0,
        backoff=Backoff(first=1.0, factor=2.0, cap=60.0, spread=0.5),
    ),
    transport=TransportOptions(
        connect_timeout=10.0,
        network_allowance=15.0,
        message_limit=2**24,
        request_limit=32_768,
        ca_bundle='ca.pem',
        client_certificate=('certificate.pem', 'key.pem'),
        proxy='http://proxy:3128',
        codec=Codec(encode=JSON.encode, decode=json.JSONDecoder(parse_float=Decimal).decode),
    ),
    policy=policy,
    preparation=preparation,
    extensions=[extension],
    mailbox_limit=1000,
    mailbox_characters=8 * 2**20,
    observe=observe,
    follow=follow,
    spawn=spawn,
    clock=time.monotonic,
    draw=random.random,
)


def on_events(events: list[Delivery]) -> None: ...


def on_event(event: Delivery) -> None:
    assert_type(event.channel, str)
    assert_type(event.id, str | None)
    assert_type(event.ext, Mapping[str, Any] | None)
    assert_type(event.data, Any)


def on_reply(reply: Reply) -> None:
    assert_type(reply.successful, bool | None)
    assert_type(reply.error, str)


def use(client: Client) -> None:
    with client as entered:
        assert_type(entered, Client)
        subscribed = entered.subscribe('/chat/**', on_event)
        assert_type(subscribed, Result)
        subscribed.get(timeout=10)
        entered.subscribe('/chat/**', lambda event: event.data['text']).get()
        entered.subscribe('/chat/**', on_events, together=True)
        entered.subscribe('/chat/**', on_events)  # type: ignore[arg-type]
        entered.subscribe('/chat/**', on_event, together=True)  # type: ignore[call-overload]
        assert_type(entered.publish('/chat/room', {'text': ['hello', 1, None]}).done, bool)
        assert_type(entered.unsubscribe('/chat/**', on_event), Result)
        assert_type(entered.unsubscribe('/chat/**'), Result)
        entered.listen('/meta/connect', on_reply)
        assert_type(entered.state, State)
        assert_type(entered.why, str)
        assert_type(entered.channels, dict[str, ChannelStatus])
        assert_type(entered.wait_for_state(State.CONNECTED, timeout=1.5), bool)
        entered.brake()
        assert_type(entered.braked_for, float | None)
        entered.release()
        entered.halt()
    client.start()
    client.stop(timeout=1)
    client.kill()


def meet(result: Result) -> str:
    try:
        result.get(1)
    except (SubscriptionRefused, UnsubscriptionRefused, PublishRefused) as refused:
        return f'{refused.channel} {refused.reason}'
    except Refused as refused:
        return refused.reason
    except ExchangeFailed as failed:
        return f'{failed.channel} {failed.reason}'
    except (Stopped, NotAnswered):
        return 'later'
    except RemoteError:
        return 'theirs'
    except MessageTooLarge:
        return 'too large'
    except LocalError:
        return 'ours'
    except BayeuxError:
        return 'either'
    return 'yes'


# --- the entrypoint -------------------------------------------------------------------------------


class Connection(BayeuxConnection):
    def make_client(self, settings: BayeuxSettings) -> Client:
        return Client(settings.server_uri, policy=policy)


class Service:
    name = 'chat'

    @subscribe('/chat/**')  # type: ignore[untyped-decorator]  # Nameko is untyped
    def handle(self, channel: str, data: Any) -> None: ...

    @subscribe('/u/*', expected_exceptions=ValueError, sensitive_arguments=('data',))  # type: ignore[untyped-decorator]
    def handle_more(self, channel: str, data: Any) -> None: ...


# --- the dependency -------------------------------------------------------------------------------


class Contacts:
    name = 'contacts'

    salesforce: RestClient = SalesforceAPI()

    def create(self, last_name: str) -> str:
        try:
            made = self.salesforce.Contact.create({'LastName': last_name})
        except NoConnectionFree:
            return ''
        assert_type(self.salesforce.user_id, str)
        return str(made['id'])

    def names(self) -> list[Any]:
        return [each['LastName'] for each in self.salesforce.query_all_iter('SELECT LastName FROM Contact')]
