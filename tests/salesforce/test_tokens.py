"""One token for all: who logs in, who waits, and who is told to come back later.

The clock is the test's. That it works unpatched as well: test_login_patching.py.
"""

import logging

import eventlet
import pytest
from eventlet.event import Event

from nameko_salesforce.bayeux.failures import Failure, FailureKind
from nameko_salesforce.credentials import Token
from nameko_salesforce.errors import LoginFailed, LoginPostponed, LoginRefused
from nameko_salesforce.tokens import Tokens

REFUSED = LoginRefused('INVALID_LOGIN', 'wrong password')
DOWN = LoginFailed(Failure(FailureKind.CONNECT, 'acme: Connection refused'))
BUSY = LoginFailed(Failure(FailureKind.STATUS, '503', 503, 120.0))
# Nothing here waits for wall time; this ends a test that would hang.
LONG = 10.0


class Salesforce:
    """Answers logins when it is told to: `next` is a token's text or an error."""

    def __init__(self):
        self.logins = 0
        self.next = 'token'
        self.gate = None
        self.now = 5000.0

    def log_in(self):
        self.logins += 1
        if self.gate is not None:
            self.gate.wait()
        if isinstance(self.next, BaseException):
            raise self.next
        return Token(self.next, 'https://acme.my.salesforce.com', '00D' + '0' * 15, '005' + '0' * 15)

    def close(self):
        """Hold logins until `open`."""
        self.gate = Event()

    def open(self):
        gate, self.gate = self.gate, None
        gate.send(None)


@pytest.fixture
def salesforce():
    return Salesforce()


@pytest.fixture
def make(salesforce):
    def make(**options):
        return Tokens(salesforce.log_in, clock=lambda: salesforce.now, draw=lambda: 0.0, **options)

    return make


@pytest.fixture
def tokens(make):
    return make()


def failure_of(function, *args):
    with pytest.raises((LoginRefused, LoginFailed, LoginPostponed)) as caught:
        function(*args)
    return caught.value


def ask(count, function, *args):
    """Green threads that wait in `function`; each ends with a value or an error."""

    def run():
        with eventlet.Timeout(LONG):
            try:
                return function(*args)
            except Exception as error:
                return error

    threads = [eventlet.spawn(run) for _ in range(count)]
    eventlet.sleep(0)
    return threads


def ends(threads):
    return [thread.wait() for thread in threads]


# --- one login at a time -----------------------------------------------------------------------------


def test_nothing_is_done_before_somebody_asks(tokens, salesforce):
    assert tokens.current is None
    assert salesforce.logins == 0


def test_the_first_who_asks_logs_in_and_the_next_gets_the_same_token(tokens, salesforce):
    token = tokens.get()
    assert token.access_token == 'token'
    assert tokens.get() is token is tokens.current
    assert salesforce.logins == 1


@pytest.mark.defect('R3')
def test_fifty_who_ask_at_once_make_one_login(tokens, salesforce):
    salesforce.close()
    threads = ask(50, tokens.get)
    salesforce.open()
    assert set(ends(threads)) == {tokens.current}
    assert salesforce.logins == 1


@pytest.mark.parametrize('error', [REFUSED, DOWN], ids=lambda each: type(each).__name__)
def test_fifty_who_wait_for_a_login_that_fails_are_all_told_and_none_tries_again(tokens, salesforce, error):
    salesforce.next = error
    salesforce.close()
    threads = ask(50, tokens.get)
    salesforce.open()
    outcomes = ends(threads)
    assert {(type(each), str(each)) for each in outcomes} == {(type(error), str(error))}
    assert len({id(each) for each in outcomes}) == 50
    assert salesforce.logins == 1
    assert isinstance(failure_of(tokens.get), LoginPostponed)
    assert salesforce.logins == 1


@pytest.mark.parametrize('how', ['kill', 'timeout'])
def test_an_end_in_the_middle_of_a_login_lets_one_of_the_waiters_try(tokens, salesforce, how):
    def lead():
        with eventlet.Timeout(0.01 if how == 'timeout' else None, False):
            tokens.get()

    salesforce.close()
    gate = salesforce.gate
    leader = eventlet.spawn(lead)
    eventlet.sleep(0)
    threads = ask(10, tokens.get)
    if how == 'kill':
        leader.kill()
    else:
        leader.wait()
    eventlet.sleep(0)
    assert salesforce.logins == 2
    assert not gate.ready()
    salesforce.open()
    assert set(ends(threads)) == {tokens.current}
    assert salesforce.logins == 2


@pytest.mark.parametrize('how', ['kill', 'timeout'])
def test_an_end_of_somebody_who_waits_disturbs_nobody(tokens, salesforce, how):
    def wait():
        with eventlet.Timeout(0.01 if how == 'timeout' else None, False):
            tokens.get()

    salesforce.close()
    threads = ask(2, tokens.get)
    waiter = eventlet.spawn(wait)
    eventlet.sleep(0)
    if how == 'kill':
        waiter.kill()
    else:
        waiter.wait()
    salesforce.open()
    assert set(ends(threads)) == {tokens.current}
    assert salesforce.logins == 1
    assert tokens.get() is tokens.current


def test_a_bug_in_a_login_reaches_its_caller_and_leaves_no_lock(tokens, salesforce):
    salesforce.next = ZeroDivisionError()
    with pytest.raises(ZeroDivisionError):
        tokens.get()
    salesforce.next = 'token'
    assert tokens.get().access_token == 'token'


# --- renewal -----------------------------------------------------------------------------------------


def test_a_refused_token_is_replaced(tokens, salesforce):
    refused = tokens.get()
    salesforce.next = 'other'
    assert tokens.renew(refused).access_token == 'other'
    assert salesforce.logins == 2


def test_whoever_was_refused_with_a_former_token_gets_the_present_one(tokens, salesforce):
    former = tokens.get()
    present = tokens.renew(former)
    assert tokens.renew(former) is present
    assert salesforce.logins == 2


def test_tokens_are_compared_by_value(tokens, salesforce):
    token = tokens.get()
    same = Token(token.access_token, token.instance_url, token.organization_id, token.user_id, token.number)
    assert tokens.renew(same) is not token
    assert salesforce.logins == 2


def test_fifty_who_are_refused_with_one_token_make_one_login(tokens, salesforce):
    refused = tokens.get()
    salesforce.close()
    threads = ask(50, tokens.renew, refused)
    # They come and go, and one is late.
    salesforce.open()
    assert set(ends(threads)) == {tokens.current}
    assert tokens.renew(refused) is tokens.current
    assert salesforce.logins == 2


def test_a_login_that_gives_the_same_token_again_counts_as_a_renewal(tokens, salesforce):
    # Salesforce does so as long as it takes the session for valid.
    refused = tokens.get()
    renewed = tokens.renew(refused)
    assert renewed.access_token == refused.access_token
    assert renewed != refused
    assert tokens.renew(refused) is renewed
    assert salesforce.logins == 2


def test_a_refused_token_is_given_to_nobody_while_its_renewal_runs_or_after_it_failed(tokens, salesforce):
    refused = tokens.get()
    salesforce.next = DOWN
    salesforce.close()
    renewing = ask(1, tokens.renew, refused)
    assert tokens.current is None
    asking = ask(1, tokens.get)
    salesforce.open()
    assert [type(each) for each in ends(renewing + asking)] == [LoginFailed, LoginFailed]
    assert tokens.current is None


def test_renewing_without_a_token_is_a_login(tokens, salesforce):
    refused = Token('of another process', 'https://acme.my.salesforce.com', '', '')
    assert tokens.renew(refused).access_token == 'token'
    assert salesforce.logins == 1


# --- pauses ------------------------------------------------------------------------------------------


def test_a_refusal_tells_when_to_come_back_and_until_then_no_request_is_made(tokens, salesforce):
    salesforce.next = REFUSED
    error = failure_of(tokens.get)
    assert (error.code, error.text, error.retry_after) == ('INVALID_LOGIN', 'wrong password', 75.0)
    salesforce.now += 60
    postponed = failure_of(tokens.get)
    assert isinstance(postponed, LoginPostponed)
    assert postponed.args == (str(error), 15.0, True)
    assert salesforce.logins == 1


def test_after_the_pause_it_is_tried_again_and_a_success_is_as_good_as_any(tokens, salesforce):
    salesforce.next = REFUSED
    salesforce.now += failure_of(tokens.get).retry_after
    salesforce.next = 'token'
    assert tokens.get().access_token == 'token'
    assert salesforce.logins == 2


def test_refusals_in_a_row_are_minutes_apart_and_further_each_time(tokens, salesforce):
    salesforce.next = REFUSED
    times = []
    for _ in range(7):
        times.append(salesforce.now)
        salesforce.now += failure_of(tokens.get).retry_after
    pauses = [later - earlier for earlier, later in zip(times, times[1:], strict=False)]
    assert pauses == [75, 150, 300, 600, 1200, 1800]
    assert salesforce.logins == 7


def test_a_failure_pauses_for_a_moment_only(tokens, salesforce):
    salesforce.next = DOWN
    error = failure_of(tokens.get)
    assert (error.failure, error.retry_after) == (DOWN.failure, 0.5)
    assert isinstance(failure_of(tokens.get), LoginPostponed)
    salesforce.now += 0.5
    assert isinstance(failure_of(tokens.get), LoginFailed)
    assert salesforce.logins == 2


def test_a_pause_that_the_server_asks_for_is_kept(tokens, salesforce):
    salesforce.next = BUSY
    assert failure_of(tokens.get).retry_after == 120.0


@pytest.mark.defect('R2')
def test_logins_of_an_hour_are_bounded_and_the_rest_is_told_when(make, salesforce):
    tokens = make(logins_per_hour=5)
    token = tokens.get()
    for _ in range(4):
        salesforce.now += 10
        token = tokens.renew(token)
    error = failure_of(tokens.renew, token)
    assert isinstance(error, LoginPostponed)
    assert error.args == ('5 logins in an hour (LOGINS_PER_HOUR)', 3560.0, False)
    assert salesforce.logins == 5
    salesforce.now += error.retry_after
    assert tokens.renew(token).number == 6


# --- the log -----------------------------------------------------------------------------------------


def test_each_login_is_one_line_that_says_what_next(tokens, salesforce, caplog):
    caplog.set_level(logging.DEBUG)
    salesforce.next = REFUSED
    salesforce.now += failure_of(tokens.get).retry_after
    salesforce.next = DOWN
    salesforce.now += failure_of(tokens.get).retry_after
    failure_of(lambda: (tokens.get(), tokens.get()))
    salesforce.next = 'hidden'
    salesforce.now += 100
    tokens.get()
    assert [(record.levelname, record.getMessage()) for record in caplog.records] == [
        (
            'WARNING',
            'login refused: INVALID_LOGIN: wrong password; next attempt in 75 s at the earliest',
        ),
        (
            'WARNING',
            'login failed: no connection: acme: Connection refused; next attempt in 0.5 s at the earliest',
        ),
        (
            'WARNING',
            'login failed: no connection: acme: Connection refused; next attempt in 1.0 s at the earliest',
        ),
        ('INFO', f'logged in at https://acme.my.salesforce.com as user 005{"0" * 15}'),
    ]


def test_a_refused_token_serves_the_others_while_no_login_may_be_made(make, salesforce):
    """Streaming may be refused for ever for a reason of its own: REST goes on."""
    tokens = make(logins_per_hour=2)
    streaming = tokens.renew(tokens.get())
    with pytest.raises(LoginPostponed):
        tokens.renew(streaming)
    assert tokens.get() == streaming
    salesforce.now += 3600
    assert tokens.renew(streaming) != streaming
