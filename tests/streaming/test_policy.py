"""What Salesforce means by what it says: a test for each row of its errors, with the bodies as recorded."""

import json
from pathlib import Path

import pytest

from nameko_salesforce.bayeux.advice import Advice, Reconnect
from nameko_salesforce.bayeux.failures import Failure, FailureKind
from nameko_salesforce.bayeux.messages import parse
from nameko_salesforce.bayeux.policy import Action, Step, Trouble
from nameko_salesforce.streaming.policy import (
    SalesforcePolicy,
    is_lost_position,
    is_missing_channel,
    is_temporary,
)

POLICY = SalesforcePolicy()
WIRE = Path(__file__).parents[1] / 'wire'

NONE = {'reconnect': 'none', 'interval': 0}
STEPS = {
    '/meta/handshake': Step.HANDSHAKE,
    '/meta/connect': Step.CONNECT,
    '/meta/subscribe': Step.COMMAND,
}


def judge(message, *, server_disconnected=False, failures=1, held=None):
    """The verdict on one reply as it came over the wire."""
    reply = parse({'successful': False, 'id': '1', **message})
    advice = held or Advice()
    if reply.advice is not None:
        advice = advice.merge(reply.advice)
    return POLICY.judge(
        Trouble(
            STEPS[reply.channel],
            reply,
            advice=advice,
            failures=failures,
            server_disconnected=server_disconnected,
        )
    )


def reason(text):
    return {'ext': {'sfdc': {'failureReason': text}, 'replay': True, 'payload.format': True}}


DENIED = {'channel': '/meta/handshake', 'error': '403::Handshake denied', 'advice': {'reconnect': 'none'}}
LOST_TOKEN = {'channel': '/meta/connect', 'error': '401::Authentication invalid', 'advice': NONE}


# --- the table of the error guide, row by row ------------------------------------------------------


def test_auth_lost_while_polling_needs_a_login_though_advice_says_none():
    assert judge(LOST_TOKEN).action is Action.LOGIN
    assert judge(LOST_TOKEN, server_disconnected=True).action is Action.LOGIN


def test_auth_lost_at_handshake_needs_a_login_though_the_error_is_a_403():
    assert judge({**DENIED, **reason('401::Authentication invalid')}).action is Action.LOGIN


def test_an_unknown_client_needs_a_handshake_and_no_login():
    asked = {'channel': '/meta/connect', 'error': '403::Unknown client'}
    verdict = judge({**asked, 'advice': {'interval': 0, 'reconnect': 'handshake'}})
    assert (verdict.action, verdict.pause) == (Action.HANDSHAKE, 0.0)


def test_a_server_that_disconnects_wants_a_new_handshake_though_advice_says_none():
    asked = {'channel': '/meta/connect', 'error': '403::Unknown client', 'advice': NONE}
    verdict = judge(asked, server_disconnected=True)
    assert (verdict.action, verdict.pause) == (Action.HANDSHAKE, 0.0)


def test_the_token_of_another_user_needs_a_login_which_forgets_the_cookies():
    text = "400::Authenticated user id does not match the session's user id"
    verdict = judge({'channel': '/meta/connect', 'error': text, 'advice': NONE}, server_disconnected=True)
    assert verdict.action is Action.LOGIN


def test_the_limit_of_clients_is_waited_out_by_minutes_without_a_login():
    verdict = judge({**DENIED, **reason('403::Organization concurrent user limit exceeded')})
    assert (verdict.action, verdict.pause) == (Action.HANDSHAKE, POLICY.client_limit_pause)
    assert verdict.reason == '403::Organization concurrent user limit exceeded'


def test_the_limit_of_connections_is_waited_out_by_minutes_without_a_login():
    text = (
        '403::To protect all customers from excessive use and Denial of Service attacks, we limit the number '
        'of simultaneous connections per server. Your request has been denied because this limit has been '
        'exceeded. Please try your request again later.'
    )
    verdict = judge({**DENIED, **reason(text)})
    assert (verdict.action, verdict.pause) == (Action.HANDSHAKE, POLICY.client_limit_pause)


@pytest.mark.parametrize('channel', ['/meta/handshake', '/meta/connect', '/meta/subscribe'])
def test_a_busy_server_is_left_alone_for_minutes_and_not_logged_in_to(channel):
    busy = reason('503::Server is too busy.  Please try your request again later.')
    verdict = judge({'channel': channel, 'error': '401::Authentication invalid', 'advice': NONE, **busy})
    expected = Action.REFUSE if channel == '/meta/subscribe' else Action.HANDSHAKE
    assert (verdict.action, verdict.pause) == (expected, POLICY.busy_pause)


def test_the_daily_limit_refuses_a_subscription_for_a_long_while_and_leaves_the_session_alone():
    text = '403::Organization total events daily limit exceeded'
    verdict = judge({'channel': '/meta/subscribe', 'subscription': '/event/X__e', 'error': text})
    assert (verdict.action, verdict.pause) == (Action.REFUSE, POLICY.daily_limit_pause)


def test_the_daily_limit_at_a_connect_is_waited_out_for_a_long_while():
    text = '403::Organization total events daily limit exceeded'
    verdict = judge({'channel': '/meta/connect', 'error': text, 'advice': NONE})
    assert (verdict.action, verdict.pause) == (Action.HANDSHAKE, POLICY.daily_limit_pause)


@pytest.mark.parametrize('verb', ['does not', "doesn't", 'doesn’t'])  # noqa: RUF001 -- as documented
def test_a_missing_channel_is_refused_by_itself(verb):
    text = f'400::The channel you requested to subscribe to {verb} exist {{/topic/AccountUpdates}}'
    assert judge({'channel': '/meta/subscribe', 'error': text}).action is Action.REFUSE
    assert is_missing_channel(text)
    assert not is_temporary(text)


@pytest.mark.parametrize('spaces', [' ', '  '])
@pytest.mark.parametrize('position', ['82', '-3', 'abc', ''])
def test_a_lost_position_is_refused_by_itself_and_recognised(spaces, position):
    text = (
        f'400::The replayId {{{position}}} you provided was invalid.{spaces}Please provide a valid ID, -2 to '
        'replay all events, or -1 to replay only new events.'
    )
    assert judge({'channel': '/meta/subscribe', 'error': text}).action is Action.REFUSE
    assert is_lost_position(text)
    assert not is_temporary(text)


def test_a_replay_map_without_the_channel_is_no_lost_position():
    text = (
        "400::The replayId for channel {/topic/topicName} wasn't found using the provided replay ID map {{}}."
        ' Ensure that the channel name you provided in the replay map is valid and matches the channel name '
        'used for subscribing.'
    )
    assert judge({'channel': '/meta/subscribe', 'error': text}).action is Action.REFUSE
    assert not is_lost_position(text)


def test_a_malformed_channel_is_no_lost_token():
    text = '403:denied_by_security_policy:create_denied'
    assert judge({'channel': '/meta/subscribe', 'error': text}).action is Action.REFUSE


# --- what the table does not show -----------------------------------------------------------------


@pytest.mark.parametrize(
    'text',
    [
        '403::User not enabled for streaming',
        '400::Unsupported API version. Only API versions 37.0 and later are supported.',
        'something that nobody has heard yet',
    ],
)
def test_an_unknown_refusal_is_tried_again_after_minutes_for_a_halted_stream_is_a_silent_one(text):
    for message in ({**DENIED, **reason(text)}, {'channel': '/meta/connect', 'error': text, 'advice': NONE}):
        verdict = judge(message)
        assert (verdict.action, verdict.pause) == (Action.HANDSHAKE, POLICY.refusal_pause)
        assert verdict.reason == text


@pytest.mark.defect('S5')
@pytest.mark.parametrize(
    'text',
    [
        '403::Subscriber does not have access to the entity in this topic',
        '403::Restricted channel',
        '400::Query fields {Foo} do not exist on the topic entity',
    ],
)
@pytest.mark.parametrize('held', [Advice(), Advice(reconnect=Reconnect.NONE)])
def test_a_refused_subscription_says_nothing_of_the_session_whatever_advice_is_held(text, held):
    assert judge({'channel': '/meta/subscribe', 'error': text}, held=held).action is Action.REFUSE


def test_a_limit_of_one_topic_refuses_its_subscription_for_minutes():
    text = '403::Subscription limit exceeded for this topic'
    verdict = judge({'channel': '/meta/subscribe', 'error': text})
    assert (verdict.action, verdict.pause) == (Action.REFUSE, POLICY.client_limit_pause)
    assert is_temporary(text)


def test_a_client_without_a_handshake_shakes_hands():
    text = '403::Client has not completed handshake'
    assert judge({'channel': '/meta/subscribe', 'error': text}).action is Action.HANDSHAKE


def test_http_401_needs_a_login():
    trouble = Trouble(Step.CONNECT, failure=Failure(FailureKind.STATUS, 'HTTP 401', status=401))
    assert POLICY.judge(trouble).action is Action.LOGIN


def test_refused_credentials_wait_as_long_as_their_keeper_says():
    failure = Failure(FailureKind.CREDENTIALS, 'invalid_grant', retry_after=7200.0)
    verdict = POLICY.judge(Trouble(Step.PREPARE, failure=failure))
    assert (verdict.action, verdict.pause) == (Action.RETRY, 7200.0)


def test_a_failed_login_is_a_failure_like_any_other():
    failure = Failure(FailureKind.STATUS, 'HTTP 503', status=503, retry_after=30.0)
    verdict = POLICY.judge(Trouble(Step.PREPARE, failure=failure))
    assert (verdict.action, verdict.pause) == (Action.RETRY, 30.0)


@pytest.mark.parametrize('step', list(Step))
@pytest.mark.parametrize('reconnect', list(Reconnect))
@pytest.mark.parametrize('interval', [-1.0, 0.0])
def test_nothing_that_salesforce_says_ends_the_stream(step, reconnect, interval):
    advice = Advice(reconnect=reconnect, interval=interval)
    texts = ['', '403::x', '400::y', '500::z']
    for text in texts:
        reply = parse({'channel': '/meta/connect', 'id': '1', 'successful': False, 'error': text})
        for failures in (1, 2, 50):
            verdict = POLICY.judge(Trouble(step, reply, advice=advice, failures=failures))
            assert verdict.action is not Action.HALT


REFUSALS = sorted(
    path
    for path in WIRE.glob('salesforce-*.json')
    if any(reply.get('successful') is False for reply in json.loads(path.read_text())['reply'])
)


@pytest.mark.parametrize('path', REFUSALS, ids=lambda path: path.stem)
def test_recorded_exchanges_are_judged_as_their_files_say(path):
    exchange = json.loads(path.read_text())
    replies = [each for each in exchange['reply'] if each.get('successful') is False]
    bare = any(each == {'channel': '/meta/disconnect'} for each in exchange['reply'])
    reply = {'channel': '/meta/handshake', **replies[-1]}
    assert judge(reply, server_disconnected=bare).action.value == exchange['verdict']


@pytest.mark.parametrize(
    ('text', 'people'),
    [
        ('403::User not enabled for streaming', True),
        ('400::Unsupported API version.', True),
        ('403::Organization concurrent user limit exceeded', False),
        ('403::Unknown client', False),
        ('401::Authentication invalid', False),
        ('500::Internal error', False),
        ('429::Too many requests', False),
    ],
)
def test_what_needs_people_is_told_from_what_ends_by_itself(text, people):
    assert judge({**DENIED, **reason(text)}).for_good is people
