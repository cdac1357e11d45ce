"""The decision order for any CometD server, `facts` in: verdict out."""

from dataclasses import replace

import pytest

from nameko_salesforce.bayeux.advice import Advice, Reconnect
from nameko_salesforce.bayeux.failures import Failure, FailureKind
from nameko_salesforce.bayeux.messages import Reply
from nameko_salesforce.bayeux.policy import Action, GenericPolicy, Step, Trouble, Verdict

POLICY = GenericPolicy()
NONE = Advice(reconnect=Reconnect.NONE)
HANDSHAKE = Advice(reconnect=Reconnect.HANDSHAKE)


def judge(error='', step=Step.CONNECT, advice=Advice(), reason='', **more):  # noqa: B008
    reply = Reply('/meta/connect', error=error, failure_reason=reason)
    return POLICY.judge(Trouble(step, reply, advice=advice, **more))


@pytest.mark.parametrize(
    'error',
    [
        '401::Authentication invalid',
        '401::Authentication invalid.',
        '401::Request requires authentication',
        "400::Authenticated user id does not match the session's user id",
    ],
)
@pytest.mark.parametrize('step', [Step.HANDSHAKE, Step.CONNECT, Step.COMMAND])
@pytest.mark.parametrize('advice', [Advice(), NONE, HANDSHAKE])
def test_a_refused_token_needs_a_login_whatever_is_advised(error, step, advice):
    assert judge(error, step, advice).action is Action.LOGIN


@pytest.mark.parametrize(
    'error',
    ['402::session_unknown', '403::Unknown client', '401:x1:Unknown client', '402:x1:Unknown Client ID'],
)
@pytest.mark.parametrize('step', [Step.CONNECT, Step.COMMAND])
@pytest.mark.parametrize('advice', [Advice(), NONE])
def test_an_unknown_session_needs_a_handshake_whatever_is_advised(error, step, advice):
    assert judge(error, step, advice).action is Action.HANDSHAKE


def test_faye_says_402_for_a_missing_parameter():
    assert judge('402:data:Missing required parameter', Step.COMMAND).action is Action.REFUSE


def test_the_failure_reason_outranks_the_error():
    busy = judge('401::Authentication invalid', advice=NONE, reason='503::Server is too busy.')
    assert (busy.action, busy.pause) == (Action.HANDSHAKE, 60.0)
    assert busy.reason == '503::Server is too busy.'
    denied = judge('403::Handshake denied', Step.HANDSHAKE, NONE, reason='401::Authentication invalid')
    assert denied.action is Action.LOGIN


@pytest.mark.parametrize(
    'error',
    [
        '403::Organization concurrent user limit exceeded',
        '403::To protect all customers ... because this limit has been exceeded. Please try again later.',
    ],
)
def test_a_limit_is_waited_out_by_the_minute_even_under_none(error):
    verdict = judge(error, Step.HANDSHAKE, NONE)
    assert (verdict.action, verdict.pause) == (Action.HANDSHAKE, 60.0)


def test_a_limit_of_one_subscription_leaves_the_session_alone():
    verdict = judge('403::Organization total events daily limit exceeded', Step.COMMAND)
    assert (verdict.action, verdict.pause) == (Action.REFUSE, 60.0)


@pytest.mark.parametrize('advice', [Advice(), NONE, HANDSHAKE])
def test_a_refused_command_says_nothing_of_the_session(advice):
    assert judge('403:denied_by_security_policy:create_denied', Step.COMMAND, advice).action is Action.REFUSE


@pytest.mark.parametrize(
    ('advice', 'action'),
    [
        (Advice(), Action.RETRY),
        (HANDSHAKE, Action.HANDSHAKE),
        (NONE, Action.HALT),
        (Advice(interval=-1.0), Action.HALT),
    ],
)
def test_what_is_not_recognised_follows_the_advice(advice, action):
    assert judge('500::what', advice=advice).action is action


def test_a_server_that_disconnects_and_advises_nothing_gets_a_new_session():
    assert judge('', server_disconnected=True).action is Action.HANDSHAKE


@pytest.mark.parametrize(
    ('failures', 'action'), [(1, Action.RETRY), (2, Action.RETRY), (3, Action.HANDSHAKE)]
)
def test_a_session_is_given_up_after_three_failed_connects(failures, action):
    trouble = Trouble(Step.CONNECT, failure=Failure(FailureKind.RESET), failures=failures)
    assert POLICY.judge(trouble).action is action


@pytest.mark.parametrize('step', [Step.PREPARE, Step.HANDSHAKE, Step.COMMAND])
def test_other_steps_are_tried_again_for_ever(step):
    assert POLICY.judge(Trouble(step, failure=Failure(FailureKind.RESET), failures=99)).action is Action.RETRY


@pytest.mark.defect('D5')
def test_http_401_needs_a_login():
    failure = Failure(FailureKind.STATUS, status=401)
    assert POLICY.judge(Trouble(Step.CONNECT, failure=failure)).action is Action.LOGIN


@pytest.mark.parametrize('status', [403, 413, 500, 502, 503])
def test_other_http_statuses_are_tried_again_after_what_they_ask(status):
    failure = Failure(FailureKind.STATUS, status=status, retry_after=7.0)
    verdict = POLICY.judge(Trouble(Step.HANDSHAKE, failure=failure))
    assert (verdict.action, verdict.pause) == (Action.RETRY, 7.0)


def test_a_retry_after_of_years_is_cut_to_an_hour():
    failure = Failure(FailureKind.STATUS, status=503, retry_after=1e9)
    assert POLICY.judge(Trouble(Step.CONNECT, failure=failure)).pause == 3600


def test_a_network_failure_outranks_advice_of_an_older_message():
    assert (
        POLICY.judge(Trouble(Step.CONNECT, failure=Failure(FailureKind.RESET), advice=NONE)).action
        is Action.RETRY
    )


def test_the_reason_is_the_servers_text_or_the_failure():
    assert judge('500::what').reason == '500::what'
    failure = Failure(FailureKind.STATUS, '503 busy', 503)
    assert POLICY.judge(Trouble(Step.CONNECT, failure=failure)).reason == 'HTTP status: 503 busy'


def test_no_plain_cometd_channel_is_durable():
    assert not POLICY.is_durable('/a')


@pytest.mark.parametrize('step', [Step.CONNECT, Step.COMMAND])
@pytest.mark.parametrize('kind', [FailureKind.RESET, FailureKind.TIMEOUT, FailureKind.TRUNCATED])
def test_a_lost_answer_costs_the_session_where_a_channel_is_durable(step, kind):
    trouble = Trouble(step, failure=Failure(kind, retry_after=3.0), durable=True)
    assert POLICY.judge(trouble) == Verdict(Action.HANDSHAKE, kind.value, 3.0)
    assert POLICY.judge(replace(trouble, durable=False)).action is Action.RETRY


def test_a_request_that_was_never_sent_costs_no_session():
    trouble = Trouble(Step.CONNECT, failure=Failure(FailureKind.CONNECT), durable=True)
    assert POLICY.judge(trouble).action is Action.RETRY


@pytest.mark.parametrize('step', [Step.PREPARE, Step.HANDSHAKE])
def test_where_no_event_can_be_nothing_is_lost(step):
    trouble = Trouble(step, failure=Failure(FailureKind.RESET), durable=True)
    assert POLICY.judge(trouble).action is Action.RETRY
