"""The client for REST: simple-salesforce, always on the current token. Against the fake org."""

import copy
import pickle

import eventlet
import pytest
import requests
from simple_salesforce.api import Salesforce
from simple_salesforce.exceptions import (
    SalesforceExpiredSession,
    SalesforceGeneralError,
    SalesforceMalformedRequest,
    SalesforceResourceNotFound,
)

from nameko_salesforce.errors import LoginPostponed, LoginRefused
from nameko_salesforce.rest import RestClient
from nameko_salesforce.rest_session import RestSession
from tests.salesforce.peers import EXPIRED, Org, refused


@pytest.fixture
def client(account):
    return account().client()


def requests_of(fake):
    return [(entry.detail['method'], entry.detail['status']) for entry in fake.journal('rest')]


def logins_of(fake):
    return len(fake.journal('login'))


def missing(use):
    with pytest.raises(SalesforceResourceNotFound):
        use()


LOVELACE = {'LastName': 'Lovelace', 'Email': 'ada@example.com'}


# --- nothing before it is needed --------------------------------------------------------------------


def test_making_a_client_asks_nobody_and_a_request_logs_in(fake, client):
    assert isinstance(client, Salesforce)
    assert (logins_of(fake), requests_of(fake)) == (0, [])
    client.Contact.create(LOVELACE)
    assert (logins_of(fake), requests_of(fake)) == (1, [('POST', 201)])


@pytest.mark.parametrize('name', ['_repr_html_', '__deepcopy__', '_ipython_display_', '_x'])
def test_what_tools_look_for_is_missing_and_asks_nobody(fake, client, name):
    assert not hasattr(client, name)
    with pytest.raises(AttributeError, match=f"'RestClient' object has no attribute '{name}'"):
        getattr(client, name)
    assert logins_of(fake) == 0


def test_a_client_shows_no_token_and_cannot_be_taken_elsewhere(client):
    secret = client.session_id
    assert client.headers['Authorization'] == f'Bearer {secret}'
    shown = [repr(client), str(client), repr(client.Contact), repr(client.bulk), repr(client.session)]
    assert not any(secret in text for text in shown)
    assert repr(client) == '<RestClient of API version 67.0>'
    for take in (pickle.dumps, copy.copy, copy.deepcopy):
        with pytest.raises(TypeError, match='holds its token'):
            take(client)


def test_a_login_that_is_refused_reaches_the_caller_as_it_is(fake, account):
    client = account(CONSUMER_SECRET='wrong').client()
    with pytest.raises(LoginRefused):
        client.Contact.create(LOVELACE)
    # The next ones are no requests: Salesforce locks users.
    for use in (lambda: client.query('SELECT Id FROM Contact'), lambda: client.bulk, lambda: client.base_url):
        with pytest.raises(LoginPostponed):
            use()
    assert (logins_of(fake), requests_of(fake)) == (1, [])


# --- as deep as simple-salesforce goes --------------------------------------------------------------


@pytest.mark.defect('R1')
def test_a_client_is_made_of_what_simple_salesforce_takes(account):
    client = account().client()
    assert client.query('SELECT Id FROM Organization')['totalSize'] == 1


@pytest.mark.defect('R4')
def test_records_are_written_and_read(client):
    record_id = client.Contact.create(LOVELACE)['id']
    assert client.Contact.update(record_id, {'Email': 'countess@example.com'}) == 204
    assert client.Contact.get(record_id)['Email'] == 'countess@example.com'
    assert client.query("SELECT LastName FROM Contact WHERE Email = 'countess@example.com'")['totalSize'] == 1
    assert client.restful(f'sobjects/Contact/{record_id}', {'fields': 'LastName'})['LastName'] == 'Lovelace'
    assert client.Contact.delete(record_id) == 204
    assert client.query_all('SELECT Id FROM Contact')['records'] == []


@pytest.mark.defect('R4')
def test_calls_of_any_depth_behave_as_on_the_real_object(fake, client):
    made = client.bulk.Contact.insert([{'LastName': f'Twin {number}'} for number in range(3)])
    assert [each['success'] for each in made] == [True] * 3
    fake.configure(query_page_size=1)
    records = client.query_all_iter('SELECT LastName FROM Contact ORDER BY LastName')
    assert next(records)['LastName'] == 'Twin 0'
    fake.revoke_tokens()
    assert [each['LastName'] for each in records] == ['Twin 1', 'Twin 2']


@pytest.mark.defect('R4')
def test_attributes_are_those_of_the_real_object(fake, client):
    real = Salesforce(session_id=client.session_id, instance_url=fake.base_url, version='67.0')
    assert client.session_id.startswith('00D')
    assert client.sf_instance == real.sf_instance
    names = [name for name in vars(real) if name.endswith('_url')]
    assert 'base_url' in names
    # The real one knows https alone.
    assert {name: getattr(client, name) for name in names} == {
        name: getattr(real, name).replace('https:', 'http:') for name in names
    }
    assert client.headers == real.headers
    assert [name for name in vars(real) if name not in dir(client)] == []
    assert (client.sf_version, client.auth_type, client.auth_site) == ('67.0', 'direct', real.auth_site)


def test_what_is_not_found_and_what_is_wrong_are_simple_salesforces_own_errors(client):
    with pytest.raises(SalesforceResourceNotFound):
        client.Contact.get('003000000000001AAA')
    with pytest.raises(SalesforceMalformedRequest, match='INVALID_FIELD'):
        client.query('SELECT Nothing FROM Contact')
    with pytest.raises(SalesforceMalformedRequest):
        client.Contact.create({'Nothing': 1})


def test_the_user_is_the_one_who_is_logged_in(client):
    assert client.user_id == client.oauth2('userinfo')['user_id']


def test_usage_is_known(client):
    client.limits()
    assert client.api_usage['api-usage'].used == 1


# --- tokens that end --------------------------------------------------------------------------------


def test_a_create_on_an_expired_token_is_made_once(fake, client):
    contacts = client.Contact
    contacts.create(LOVELACE)
    fake.revoke_tokens()
    contacts.create({'LastName': 'Byron'})
    assert requests_of(fake) == [('POST', 201), ('POST', 401), ('POST', 201)]
    assert logins_of(fake) == 2
    assert client.query('SELECT Id FROM Contact')['totalSize'] == 2


def test_what_shows_the_token_shows_the_new_one(fake, client):
    old = client.session_id
    client.limits()
    fake.revoke_tokens()
    client.limits()
    assert client.session_id != old
    assert client.headers['Authorization'] == f'Bearer {client.session_id}'
    assert client.bulk.headers['X-SFDC-Session'] == client.session_id


@pytest.mark.parametrize(
    'use',
    [
        lambda client: client.bulk.Contact.insert([LOVELACE]),
        lambda client: client.oauth2('userinfo'),
        lambda client: client.query('SELECT Id FROM Contact'),
        lambda client: client.restful('limits/'),
        # The fake has none of these; what it says comes after it has looked at the token.
        lambda client: missing(lambda: list(client.bulk2.Contact.query('SELECT Id FROM Contact'))),
        lambda client: missing(lambda: client.toolingexecute('sobjects/')),
    ],
    ids=['bulk', 'userinfo', 'query', 'restful', 'bulk 2', 'tooling'],
)
def test_every_api_is_on_the_renewed_token(fake, client, use):
    client.limits()
    fake.revoke_tokens()
    use(client)
    assert client.session.tokens.current.number == 2


@pytest.mark.defect('R2')
@pytest.mark.parametrize(
    'use',
    [
        lambda client: client.Contact.create(LOVELACE),
        lambda client: client.PushTopic.delete('0IF000000000001AAA'),
        lambda client: client.query('SELECT Id FROM Contact'),
    ],
    ids=['create', 'delete', 'query'],
)
def test_sessions_that_are_refused_however_new_end_in_a_typed_error(fake, client, use):
    fake.configure(token_lifetime=0)
    with pytest.raises(SalesforceExpiredSession):
        use(client)
    assert [status for _, status in requests_of(fake)] == [401, 401]
    assert logins_of(fake) == 2


@pytest.mark.defect('R2')
def test_who_is_put_out_costs_one_request_and_one_login(fake, client):
    client.limits()
    fake.configure(client_credentials_flow=False)
    fake.revoke_tokens()
    with pytest.raises(LoginRefused):
        client.Contact.create(LOVELACE)
    assert requests_of(fake) == [('GET', 200), ('POST', 401)]
    assert logins_of(fake) == 2


def test_the_renewal_of_simple_salesforce_is_never_at_work(client):
    assert client._salesforce_login_partial is None
    with pytest.raises(RuntimeError, match='can not refreshed'):
        client._refresh_session()


def test_a_token_cannot_be_set(client):
    for name in ('session_id', 'sf_instance', 'base_url', 'headers'):
        with pytest.raises(AttributeError, match=f'{name} belongs to the shared token'):
            setattr(client, name, 'x')


# --- many workers -----------------------------------------------------------------------------------


@pytest.mark.defect('R3')
def test_fifty_calls_share_one_login_and_one_renewal(fake, account):
    shared = account(POOL_SIZE=5)
    session = shared.client().session

    def call(number):
        return RestClient(session, version='67.0').Contact.create({'LastName': f'{number}'})['success']

    pool = eventlet.GreenPool(50)
    assert list(pool.imap(call, range(50))) == [True] * 50
    assert logins_of(fake) == 1
    fake.revoke_tokens()
    assert list(pool.imap(call, range(50))) == [True] * 50
    assert logins_of(fake) == 2
    refusals = [status for _, status in requests_of(fake) if status == 401]
    assert 1 <= len(refusals) <= 5
    assert shared.client().query('SELECT Id FROM Contact')['totalSize'] == 100


def test_several_batches_of_bulk_are_green(client):
    done = []
    ticker = eventlet.spawn(lambda: [done.append(eventlet.sleep(0.001)) for _ in range(1000)])
    made = client.bulk.Contact.insert([{'LastName': f'{number}'} for number in range(10)], batch_size=1)
    ticker.kill()
    assert len(made) == 10
    assert done


def test_headers_that_a_worker_adds_are_its_own_and_are_sent():
    org = Org()
    try:
        session = RestSession(org.tokens, requests.Session())
        mine, theirs = (RestClient(session, version='67.0') for _ in range(2))
        mine.headers['Sforce-Query-Options'] = 'batchSize=200'
        mine.limits()
        theirs.limits()
        sent = [request.headers.get('Sforce-Query-Options') for request in org.requests]
        assert sent == ['batchSize=200', None]
        session.close()
    finally:
        org.server.close()


def test_the_metadata_api_is_on_the_session_and_on_the_current_token():
    org = Org()
    body = (
        b'<soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/"'
        b' xmlns="http://soap.sforce.com/2006/04/metadata"><soapenv:Body><soapenv:Fault>'
        b'<faultcode>%b</faultcode><faultstring>no</faultstring></soapenv:Fault></soapenv:Body></soapenv:Envelope>'
    )
    expired, other = (
        refused(body % code, '500 Internal Server Error', 'text/xml;charset=UTF-8')
        for code in (b'sf:INVALID_SESSION_ID', b'sf:UNKNOWN_EXCEPTION')
    )
    org.answers = [expired, other]
    try:
        session = RestSession(org.tokens, requests.Session())
        client = RestClient(session, version='67.0')
        with pytest.raises(Exception, match='no'):
            client.mdapi.describe_metadata()
        assert org.targets() == ['/services/Soap/m/67.0/'] * 2
        assert [b'token-1<' in each.body for each in org.requests] == [True, False]
        assert [b'token-2<' in each.body for each in org.requests] == [False, True]
        # zeep would put its name into all requests of a session that it is given.
        assert 'Zeep' not in session.headers['User-Agent']
        session.close()
    finally:
        org.server.close()


def test_a_body_that_is_no_salesforce_of_a_401_is_a_typed_error():
    org = Org()
    org.answers = [
        refused(b'<html>', kind='text/html'),
        refused(EXPIRED),
        refused(EXPIRED, '503 Service Unavailable'),
    ]
    try:
        session = RestSession(org.tokens, requests.Session())
        client = RestClient(session, version='67.0')
        with pytest.raises(SalesforceExpiredSession):
            client.Contact.create(LOVELACE)
        with pytest.raises(SalesforceGeneralError):
            client.Contact.create(LOVELACE)
        session.close()
    finally:
        org.server.close()
