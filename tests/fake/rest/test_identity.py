"""Who may come in, and for how long."""

import pytest
from fake_salesforce.identity import AuthProblem, LoginRefused, Refusal

ADA = 'ada@example.com'
APP = ('fake-consumer-key', 'fake-consumer-secret')


@pytest.fixture
def world(tenant_world):
    return tenant_world


def refusal(log_in, *arguments, **more):
    with pytest.raises(LoginRefused) as refused:
        log_in(*arguments, **more)
    return refused.value.refusal


def soap(world, password='secrettoken', **more):
    return world.identity.log_in_soap(ADA, password, world.now, **more)


# --- tokens ---------------------------------------------------------------------------------------


def test_a_token_begins_with_the_short_id_of_the_org(world):
    organization, bang, opaque = soap(world).access_token.partition('!')
    assert (organization, bang) == (world.org.organization_id[:15], '!')
    assert len(opaque) > 60


def test_every_login_gets_a_token_of_its_own(world):
    assert soap(world).access_token != soap(world).access_token


@pytest.mark.parametrize('scheme', ['Bearer', 'OAuth', 'bearer'])
def test_both_schemes_name_the_user(world, scheme):
    session = soap(world)
    assert world.identity.user_of(f'{scheme} {session.access_token}', world.now) == session.user_id
    assert session.user_id == world.org.users.by_username(ADA).id


@pytest.mark.parametrize(
    ('header', 'problem'),
    [
        (None, AuthProblem.HEADER),
        ('', AuthProblem.HEADER),
        ('Bearer', AuthProblem.HEADER),
        ('Basic abc', AuthProblem.HEADER),
        ('Bearer 00D!nobody', AuthProblem.SESSION),
    ],
)
def test_other_headers_name_nobody(world, header, problem):
    assert world.identity.user_of(header, world.now) is problem


def test_a_token_dies_at_the_end_of_its_lifetime(world):
    world.configure(token_lifetime=60.0)
    token = soap(world).access_token
    assert not isinstance(world.identity.session(token, world.now + 59.9), AuthProblem)
    assert world.identity.session(token, world.now + 60) is AuthProblem.SESSION


def test_tokens_of_one_user_can_be_revoked(world):
    mine, other = soap(world), world.identity.log_in_client_credentials(*APP, world.now)
    assert world.identity.revoke(ADA) == 1
    assert world.identity.session(mine.access_token, world.now) is AuthProblem.SESSION
    assert world.identity.session(other.access_token, world.now) == other
    assert world.identity.revoke() == 1
    assert world.identity.session(other.access_token, world.now) is AuthProblem.SESSION
    with pytest.raises(ValueError, match='no user nobody'):
        world.identity.revoke('nobody')


def test_the_token_of_a_user_who_was_made_inactive_is_dead(world):
    token = world.token()
    world.user(active=False)
    assert world.identity.user_of(f'Bearer {token}', world.now) is AuthProblem.SESSION


def test_a_token_can_be_had_without_a_login(world):
    world.configure(logins_per_hour=0, soap_login=False)
    token = world.identity.issue_token(ADA, world.now)
    assert world.identity.user_of(f'Bearer {token}', world.now) == world.org.users.by_username(ADA).id
    with pytest.raises(ValueError, match='no user nobody'):
        world.identity.issue_token('nobody', world.now)


def test_no_secret_stands_in_a_repr(world):
    session = soap(world)
    assert session.access_token.partition('!')[2] not in repr(session)
    assert 'secret' not in repr(world.org.users.by_username(ADA)) + repr(world.org.apps[APP[0]])


# --- passwords --------------------------------------------------------------------------------------


def test_usernames_are_known_in_any_case(world):
    assert world.identity.log_in_soap('ADA@example.com', 'secrettoken', world.now)


@pytest.mark.parametrize(
    ('username', 'password', 'why'),
    [
        ('nobody@example.com', 'secrettoken', Refusal.CREDENTIALS),
        (ADA, 'wrongtoken', Refusal.CREDENTIALS),
        (ADA, 'secretwrong', Refusal.CREDENTIALS),
        (ADA, '', Refusal.CREDENTIALS),
        (ADA, 'secret', Refusal.TOKEN_MISSING),
    ],
)
def test_wrong_credentials_are_refused(world, username, password, why):
    assert refusal(world.identity.log_in_soap, username, password, world.now) is why
    assert refusal(world.identity.log_in_password, username, password, *APP, world.now) is why


def test_a_trusted_network_needs_no_security_token(world):
    world.configure(trusted_network=True)
    assert soap(world, 'secret')
    assert soap(world, 'secrettoken')


def test_wrong_passwords_in_a_row_lock_a_user_for_a_while(world):
    world.configure(lockout_attempts=3, lockout_duration=60.0)
    for _ in range(3):
        refusal(soap, world, 'wrong')
    assert refusal(soap, world) is Refusal.CREDENTIALS
    world.now += 59.9
    assert refusal(soap, world) is Refusal.CREDENTIALS
    world.now += 0.1
    assert soap(world)


def test_a_good_login_between_wrong_ones_starts_the_count_again(world):
    world.configure(lockout_attempts=2)
    for _ in range(3):
        refusal(soap, world, 'wrong')
        assert soap(world)


def test_without_a_number_of_attempts_nobody_is_locked(world):
    world.configure(lockout_attempts=0)
    for _ in range(20):
        refusal(soap, world, 'wrong')
    assert soap(world)


def test_a_locked_user_is_told_no_more_than_one_with_a_wrong_password(world):
    world.user(locked=True)
    assert refusal(soap, world) is Refusal.CREDENTIALS


def test_an_inactive_user_is_refused(world):
    world.user(active=False)
    assert refusal(soap, world) is Refusal.INACTIVE


def test_an_expired_password_logs_in_all_the_same(world):
    world.user(password_expired=True)
    assert world.identity.password_expired(soap(world))


def test_logins_of_a_user_are_limited_per_hour_in_all_flows_together(world):
    world.configure(logins_per_hour=2)
    soap(world)
    refusal(soap, world, 'wrong')
    assert refusal(soap, world) is Refusal.RATE
    assert refusal(world.identity.log_in_password, ADA, 'secrettoken', *APP, world.now) is Refusal.RATE
    assert world.identity.log_in_client_credentials(*APP, world.now), 'another user'
    world.now += 3600
    assert soap(world)


# --- flows ------------------------------------------------------------------------------------------


def test_soap_login_can_be_off(world):
    world.configure(soap_login=False)
    assert refusal(soap, world) is Refusal.FLOW_OFF


def test_soap_login_needs_a_permission_of_the_user(world):
    world.user(api_login=False)
    assert refusal(soap, world) is Refusal.NO_API_AUTH
    assert refusal(soap, world, 'wrong') is Refusal.CREDENTIALS


@pytest.mark.parametrize('length', [15, 18])
def test_soap_login_may_name_the_org(world, length):
    assert soap(world, organization_id=world.org.organization_id[:length])
    assert refusal(soap, world, organization_id='00D000000000000') is Refusal.CREDENTIALS


def test_the_password_flow_can_be_off(world):
    world.configure(password_flow=False)
    assert refusal(world.identity.log_in_password, ADA, 'secrettoken', *APP, world.now) is Refusal.FLOW_OFF


def test_client_credentials_come_in_as_the_user_that_the_app_runs_as(world):
    session = world.identity.log_in_client_credentials(*APP, world.now)
    assert session.user_id == world.org.users.by_username('integration@example.com').id
    assert session.scopes == ('api', 'id')


def test_client_credentials_can_be_off(world):
    world.configure(client_credentials_flow=False)
    assert refusal(world.identity.log_in_client_credentials, *APP, world.now) is Refusal.FLOW_OFF


def test_an_app_that_runs_as_nobody_has_no_client_credentials(world):
    world.app(run_as='')
    assert refusal(world.identity.log_in_client_credentials, *APP, world.now) is Refusal.NO_RUN_AS


def test_unknown_apps_and_wrong_secrets_are_told_apart(world):
    log_in = world.identity.log_in_client_credentials
    assert refusal(log_in, 'nobody', 'x', world.now) is Refusal.UNKNOWN_APP
    assert refusal(log_in, APP[0], 'x', world.now) is Refusal.APP_SECRET


def test_an_assertion_is_good_for_users_who_are_approved(world):
    assert refusal(world.identity.log_in_jwt, APP[0], ADA, world.now) is Refusal.NOT_APPROVED
    world.app(approved=[ADA])
    session = world.identity.log_in_jwt(APP[0], ADA, world.now)
    assert session.user_id == world.org.users.by_username(ADA).id
    other = 'integration@example.com'
    assert refusal(world.identity.log_in_jwt, APP[0], other, world.now) is Refusal.NOT_APPROVED


def test_a_refresh_token_is_good_for_the_app_that_it_was_given_to(world):
    token = world.identity.grant_refresh_token(ADA, APP[0])
    for _ in range(2):
        assert world.identity.refresh(token, *APP, world.now).user_id == world.org.users.by_username(ADA).id
    assert refusal(world.identity.refresh, 'x', *APP, world.now) is Refusal.REFRESH_TOKEN
    world.seed(apps=[{'name': 'other', 'consumer_key': 'k', 'consumer_secret': 's'}])
    assert refusal(world.identity.refresh, token, 'k', 's', world.now) is Refusal.REFRESH_TOKEN
    world.identity.revoke()
    assert world.identity.refresh(token, *APP, world.now), 'access tokens die, refresh tokens live on'


@pytest.mark.parametrize(('user', 'app'), [('nobody', APP[0]), (ADA, 'nobody')])
def test_refresh_tokens_are_for_users_and_apps_that_exist(world, user, app):
    with pytest.raises(ValueError, match='no user'):
        world.identity.grant_refresh_token(user, app)


@pytest.mark.parametrize(('scopes', 'opens'), [(['api'], True), (['full'], True), (['id', 'web'], False)])
def test_a_scope_opens_rest(world, scopes, opens):
    world.app(scopes=scopes)
    assert world.identity.log_in_password(ADA, 'secrettoken', *APP, world.now).opens_rest is opens
