"""What a session is given before it is asked for, and what it is told where that cannot be had."""

import pytest

from nameko_salesforce.bayeux.failures import Failure, FailureKind
from nameko_salesforce.bayeux.preparation import PreparationFailed
from nameko_salesforce.credentials import Token
from nameko_salesforce.errors import DeclarationError, LoginFailed, LoginPostponed, LoginRefused
from nameko_salesforce.streaming.preparation import SalesforcePreparation
from nameko_salesforce.tokens import Tokens

URL = 'https://acme.my.salesforce.com'
MISSING = '400::The channel you requested to subscribe to does not exist {/topic/Contact}'


class Declared:
    """The seam to `Declarations`: what was asked for, and what is raised."""

    def __init__(self):
        self.asked = []
        self.error = None

    def ensure(self, name, *, again=False):
        self.asked.append((name, again))
        if self.error is not None:
            raise self.error


class World:
    """A preparation, how its logins end, and what was given up."""

    def __init__(self):
        self.logins = 0
        self.refusal = None
        self.declared = Declared()
        self.given_up = []
        self.asked = []
        tokens = Tokens(self.log_in, clock=lambda: 0.0, draw=lambda: 0.0)
        self.preparation = SalesforcePreparation(
            tokens,
            self.declared,
            {'/topic/Contact': 'Contact'},
            '67.0',
            self.replay_map,
            self.given_up.append,
        )

    def replay_map(self, channel, refusal, organization):
        self.asked.append((channel, refusal, organization))
        return {channel: 7}

    def log_in(self):
        if self.refusal is not None:
            raise self.refusal
        self.logins += 1
        return Token(f'token {self.logins}', URL, '00D000000000001AAA', '005000000000001AAA')


@pytest.fixture
def world():
    return World()


def failure_of(call, *args, **kwargs):
    with pytest.raises(PreparationFailed) as caught:
        call(*args, **kwargs)
    return caught.value.failure


def test_the_first_session_logs_in_and_goes_where_the_login_says(world):
    prepared = world.preparation.prepare(login=False)
    assert prepared.url == f'{URL}/cometd/67.0'
    assert prepared.ext == {'replay': True}
    assert world.preparation.headers() == {'Authorization': 'Bearer token 1'}


def test_before_the_first_login_there_is_no_token_to_send(world):
    assert world.preparation.headers() == {}


def test_a_further_session_takes_the_token_that_there_is(world):
    for _ in range(3):
        world.preparation.prepare(login=False)
    assert world.logins == 1


def test_a_refused_token_is_replaced_once(world):
    world.preparation.prepare(login=False)
    world.preparation.prepare(login=True)
    assert world.logins == 2
    assert world.preparation.headers() == {'Authorization': 'Bearer token 2'}


def test_a_session_keeps_its_token_while_others_renew_theirs(world):
    world.preparation.prepare(login=False)
    world.preparation._tokens.renew(world.preparation._token)  # as REST does
    assert world.preparation.headers() == {'Authorization': 'Bearer token 1'}
    world.preparation.prepare(login=True)  # its own is refused: the other one is there already
    assert world.logins == 2
    assert world.preparation.headers() == {'Authorization': 'Bearer token 2'}


def test_refused_credentials_become_a_failure_with_their_pause_and_are_given_up(world):
    world.refusal = LoginRefused('invalid_grant', 'authentication failure')
    failure = failure_of(world.preparation.prepare, login=False)
    assert failure.kind is FailureKind.CREDENTIALS
    assert failure.retry_after >= 30
    assert 'invalid_grant' in str(failure)
    [error] = world.given_up
    assert isinstance(error, LoginRefused)


def test_a_login_that_has_to_wait_after_a_refusal_says_how_long_and_is_given_up_too(world):
    world.refusal = LoginRefused('invalid_grant', 'authentication failure')
    with pytest.raises(LoginRefused) as first:
        world.preparation._tokens.get()  # as REST does
    failure = failure_of(world.preparation.prepare, login=False)
    assert failure.kind is FailureKind.CREDENTIALS
    assert 0 < failure.retry_after <= first.value.retry_after
    [error] = world.given_up
    assert isinstance(error, LoginPostponed)


def test_a_login_that_has_to_wait_after_a_failure_is_not_given_up(world):
    world.refusal = LoginFailed(Failure(FailureKind.DNS, 'login.salesforce.com'))
    failure_of(world.preparation.prepare, login=False)
    again = failure_of(world.preparation.prepare, login=False)
    assert again.retry_after > 0
    assert again.kind is FailureKind.REQUEST  # nobody has refused anything
    assert world.given_up == []


def test_a_login_that_failed_on_the_way_is_the_failure_of_the_way(world):
    reason = Failure(FailureKind.DNS, 'login.salesforce.com')
    world.refusal = LoginFailed(reason)
    failure = failure_of(world.preparation.prepare, login=False)
    assert (failure.kind, failure.detail) == (FailureKind.DNS, 'login.salesforce.com')
    assert world.given_up == []


def test_a_declared_channel_has_its_pushtopic_made_and_asks_where_it_goes_on(world):
    world.preparation.prepare(login=False)
    ext = world.preparation.prepare_channel('/topic/Contact', refusal='')
    assert world.declared.asked == [('Contact', False)]
    assert world.asked == [('/topic/Contact', '', '00D000000000001AAA')]
    assert ext == {'replay': {'/topic/Contact': 7}}


def test_a_pushtopic_that_has_vanished_is_looked_for_again(world):
    world.preparation.prepare_channel('/topic/Contact', refusal=MISSING)
    assert world.declared.asked == [('Contact', True)]


def test_a_channel_that_stays_missing_though_its_pushtopic_was_made_anew_is_given_up(world):
    for _ in range(2):  # two deletions with a subscription between them
        world.preparation.prepare_channel('/topic/Contact', refusal='')
        world.preparation.prepare_channel('/topic/Contact', refusal=MISSING)
    assert world.given_up == []
    world.preparation.prepare_channel('/topic/Contact', refusal=MISSING)
    [error] = world.given_up
    assert (error.what, error.reason) == ('/topic/Contact', MISSING)
    assert world.declared.asked[-1] == ('Contact', True)


def test_only_a_missing_channel_of_a_declared_topic_is_mended(world):
    mends = world.preparation.mends
    assert mends('/topic/Contact', MISSING)
    assert not mends('/topic/Contact', '403::Subscriber does not have access to the entity in this topic')
    assert not mends('/topic/Other', MISSING)


def test_another_refusal_is_no_reason_to_look_again(world):
    world.preparation.prepare_channel(
        '/topic/Contact', refusal='403::Subscription limit exceeded for this topic'
    )
    assert world.declared.asked == [('Contact', False)]


def test_a_channel_that_nobody_declares_is_taken_as_it_is(world):
    world.preparation.prepare_channel("/topic/Other?Industry='Energy'", refusal=MISSING)
    assert world.declared.asked == []
    [(channel, refusal, _)] = world.asked
    assert (channel, refusal) == ("/topic/Other?Industry='Energy'", MISSING)


@pytest.mark.parametrize(('temporary', 'given_up'), [(True, 0), (False, 1)])
def test_a_refused_pushtopic_is_given_up_unless_it_may_heal(world, temporary, given_up):
    world.declared.error = DeclarationError('Contact', 'INVALID_FIELD: no such column', temporary)
    failure = failure_of(world.preparation.prepare_channel, '/topic/Contact', refusal='')
    assert failure == 'PushTopic Contact: INVALID_FIELD: no such column'
    assert len(world.given_up) == given_up


def test_a_declaration_without_a_token_says_why(world):
    world.declared.error = LoginPostponed('login refused: invalid_grant', 50.0, True)
    failure = failure_of(world.preparation.prepare_channel, '/topic/Contact', refusal='')
    assert failure.kind is FailureKind.CREDENTIALS
    assert failure.retry_after == 50.0
