"""The fake under odd names, bytes, numbers and settings: an answer, and nothing else is disturbed."""

import http.client
import json
from datetime import UTC, datetime
from random import Random
from urllib.parse import quote, urlencode, urlsplit

import pytest

FORM = 'application/x-www-form-urlencoded'
APP = {'client_id': 'fake-consumer-key', 'client_secret': 'fake-consumer-secret'}
SOAP = (
    '<e:Envelope xmlns:e="http://schemas.xmlsoap.org/soap/envelope/"><e:Body><login>'
    '<username>ada@example.com</username><password>secrettoken</password></login></e:Body></e:Envelope>'
)


class Asker:
    """Requests over HTTP as ada@example.com; gives status and answer."""

    def __init__(self, fake):
        self.place = urlsplit(fake.url)
        self.token = self('POST', '/_fake/token', {'username': 'ada@example.com'})[1]['access_token']

    def __call__(self, method, path, body=None, timeout=5, **headers):
        connection = http.client.HTTPConnection(self.place.hostname, self.place.port, timeout=timeout)
        try:
            sent = {'Content-Type': 'application/json'}
            if hasattr(self, 'token'):
                sent |= {'Authorization': f'Bearer {self.token}', 'X-SFDC-Session': self.token}
            sent |= {name.replace('_', '-'): value for name, value in headers.items()}
            body = json.dumps(body) if isinstance(body, dict | list) else body
            connection.request(method, path, body, sent)
            answer = connection.getresponse()
            text = answer.read()
        finally:
            connection.close()
        try:
            return answer.status, json.loads(text)
        except ValueError:
            return answer.status, text

    def create(self, sobject, body):
        return self('POST', f'/services/data/v67.0/sobjects/{sobject}/', body)

    def query(self, soql):
        return self('GET', f'/services/data/v67.0/query/?q={quote(soql)}')

    def bulk_query(self, soql):
        job = {'operation': 'query', 'object': 'Contact', 'contentType': 'JSON'}
        job_id = self('POST', '/services/async/67.0/job', job)[1]['id']
        return self('POST', f'/services/async/67.0/job/{job_id}/batch', soql)


@pytest.fixture
def ask(fake_salesforce):
    return Asker(fake_salesforce)


@pytest.mark.parametrize('name', ['a?b', 'a b/c', 'x.y'])
def test_a_topic_whose_channel_cannot_be_is_refused_and_harms_no_write(ask, name):
    topic = {'Name': name, 'ApiVersion': 60.0, 'Query': 'SELECT Id, Name FROM Contact'}
    assert ask.create('PushTopic', topic)[0] == 400
    assert ask.create('Contact', {'LastName': 'x'})[0] == 201


def test_a_generic_channel_has_no_empty_segment(ask):
    assert ask.create('StreamingChannel', {'Name': '/u//a'})[0] == 400


def test_a_pattern_with_many_wildcards_does_not_stop_the_server(ask):
    assert ask.create('Contact', {'LastName': 'a' * 80})[0] == 201
    pattern = '%a' * 14 + 'b'
    assert ask.query(f"SELECT Id FROM Contact WHERE LastName LIKE '{pattern}'")[0] == 200


@pytest.mark.parametrize(
    'condition',
    [
        'NOT ' * 5000 + "Name = 'a'",
        '(Id = null AND ' * 2000 + "Name = 'a'" + ')' * 2000,
        'Id IN (SELECT Id FROM Contact WHERE ' * 500 + 'Id = null' + ')' * 500,
        ' OR '.join(["Name = 'a'"] * 80_000),
    ],
)
def test_a_query_that_is_too_much_fails_its_batch(ask, condition):
    status, batch = ask.bulk_query('SELECT Id FROM Contact WHERE ' + condition)
    assert (status, batch['state']) == (201, 'Failed')


@pytest.mark.parametrize('text', ['NaN', '1e999', '1' + '0' * 400])
def test_numbers_are_numbers(ask, text):
    assert ask.create('Account', f'{{"Name": "n", "AnnualRevenue": {text}}}')[0] == 400


def test_a_moment_out_of_range_is_refused(ask):
    assert ask.query('SELECT Id FROM Contact WHERE CreatedDate > 0001-01-01T00:00:00+14:00')[0] == 400


def test_a_moment_of_a_query_has_a_zone(ask):
    assert ask.query('SELECT Id FROM Contact WHERE CreatedDate > 2016-01-01T00:00:00')[0] == 400


def test_a_field_is_selected_once(ask):
    status, [error] = ask.query('SELECT Id, Name, Contact.name FROM Contact')
    assert (status, error['errorCode']) == (400, 'INVALID_FIELD')


def test_a_published_event_says_that_it_is_enqueued(ask):
    status, value = ask.create('Low_Ink__e', {'Printer_Model__c': 'X'})
    assert (status, value['errors'][0]['statusCode']) == (201, 'OPERATION_ENQUEUED')
    [event] = ask('GET', '/_fake/replay?channel=/event/Low_Ink__e')[1]['events']
    assert event['event']['EventUuid'] == value['errors'][0]['message']


@pytest.mark.parametrize(('body', 'type_'), [(b'a=\xff', FORM), (b'a=b', FORM + '; charset=foo')])
def test_a_form_in_a_strange_encoding_is_an_invalid_request(ask, body, type_):
    status, value = ask('POST', '/services/oauth2/token', body, Content_Type=type_)
    assert (status, value['error']) == (400, 'invalid_request')


@pytest.mark.parametrize('encoding', ['foo', 'utf-7', 'hex'])
def test_soap_in_a_strange_encoding_is_a_fault(ask, encoding):
    body = f'<?xml version="1.0" encoding="{encoding}"?><a/>'
    _, text = ask('POST', '/services/Soap/u/64.0', body, Content_Type='text/xml', SOAPAction='login')
    assert b'<faultcode>soapenv:Client</faultcode>' in text


def test_a_dtd_is_refused_in_every_encoding(ask):
    body = (
        '<?xml version="1.0" encoding="UTF-16"?><!DOCTYPE a [<!ENTITY p "secrettoken">]>'
        '<Envelope><Body><login><username>ada@example.com</username><password>&p;</password></login></Body></Envelope>'
    ).encode('utf-16')
    status, text = ask('POST', '/services/Soap/u/64.0', body, Content_Type='text/xml', SOAPAction='login')
    assert status == 500
    assert b'DTDs are not allowed' in text


def test_a_body_that_is_not_what_its_encoding_says_is_400(ask):
    assert ask('POST', '/cometd/67.0', b'abc', Content_Encoding='gzip')[0] == 400


@pytest.mark.parametrize('query', ['kind=gone&wait=nan', 'detail=' + '[' * 5000, 'count=-1'])
def test_wrong_questions_to_the_journal_are_refused(ask, query):
    assert ask('GET', f'/_fake/journal?{query}', timeout=2)[0] == 400


def test_no_clock_goes_beyond_the_calendar(ask):
    for _ in range(260):
        ask('POST', '/_fake/clock', {'advance': 9.9e8})
    ask.token = ask('POST', '/_fake/token', {'username': 'ada@example.com'})[1]['access_token']
    assert ask.create('Account', {'Name': 'x'})[0] == 201


@pytest.mark.parametrize('change', [{'newest_api_version': 'abc'}, {'query_page_size': 0}])
def test_settings_that_break_rest_are_refused(ask, change):
    assert ask('PATCH', '/_fake/settings', change)[0] == 400


def test_a_job_with_an_unusable_mode_or_key_is_refused(ask):
    job = {'operation': 'insert', 'object': 'Account', 'contentType': 'JSON', 'concurrencyMode': []}
    assert ask('POST', '/services/async/67.0/job', job)[0] == 400
    ask(
        'POST',
        '/_fake/seed',
        {'objects': {'X__c': {'fields': {'K__c': {'type': 'number', 'external_id': True}}}}},
    )
    job = {'operation': 'upsert', 'object': 'X__c', 'contentType': 'JSON', 'externalIdFieldName': 'K__c'}
    job_id = ask('POST', '/services/async/67.0/job', job)[1]['id']
    status, batch = ask('POST', f'/services/async/67.0/job/{job_id}/batch', [{'K__c': [1]}])
    assert (status, batch['numberRecordsFailed']) == (201, 1)


def test_a_key_that_is_none_is_a_problem_of_the_seed(ask):
    app = {'name': 'x', 'consumer_key': 'K', 'public_key': 'nonsense'}
    status, answer = ask('POST', '/_fake/seed', {'apps': [app]})
    assert status == 400
    assert 'public_key' in answer['error']


def test_a_published_record_that_is_none_passes_no_filter():
    from fake_salesforce.filters import split

    assert not split('/topic/X?Name=a')[1].lets_through({'sobject': 'x'})


def test_streaming_needs_the_scope_and_a_good_password():
    from fake_salesforce.identity import AuthProblem, Identity
    from fake_salesforce.org import Org

    seed = {
        'users': [{'username': 'a@x', 'password_expired': True}, {'username': 'b@x'}],
        'apps': [
            {'name': 'x', 'consumer_key': 'K', 'consumer_secret': 's', 'run_as': 'b@x', 'scopes': ['id']}
        ],
    }
    org = Org(seed, random=Random(1), epoch=datetime(2026, 1, 1, tzinfo=UTC), emit=lambda *_: None)
    identity = Identity(org, random=Random(1))
    narrow = identity.log_in_client_credentials('K', 's', 0.0)
    assert identity.user_of(f'Bearer {narrow.access_token}', 0.0) is AuthProblem.SESSION
    expired = identity.issue_token('a@x', 0.0)
    assert identity.user_of(f'Bearer {expired}', 0.0) is AuthProblem.SESSION


@pytest.mark.parametrize('text', ['[' * 3000, 'a: &a [x]\nobjects: {Account: *a}\n'])
def test_a_seed_cannot_be_a_bomb(text):
    from fake_salesforce.org import load_seed

    with pytest.raises(ValueError, match='nested too deeply|aliases'):
        load_seed(text)


def test_an_empty_list_is_no_subscription(ask):
    handshake = {'channel': '/meta/handshake', 'version': '1.0', 'supportedConnectionTypes': ['long-polling']}
    ask('PATCH', '/_fake/settings', {'trust_client_id': True})
    client_id = ask('POST', '/cometd/67.0', [handshake])[1][0]['clientId']
    wanted = {'channel': '/meta/subscribe', 'clientId': client_id, 'subscription': []}
    [reply] = ask('POST', '/cometd/67.0', [wanted])[1]
    assert reply['error'] == '400::Channel name not specified'


def test_a_body_that_is_refused_for_its_size_is_not_kept(ask):
    ask('POST', '/cometd/67.0', [{'channel': '/meta/connect', 'x': 'y' * 40_000}])
    [entry] = ask('GET', '/_fake/journal?kind=request')[1]['entries']
    assert entry['detail'] == {'channel': '/meta/connect'}


@pytest.mark.parametrize(
    ('method', 'path', 'body', 'kind'),
    [
        ('POST', '/services/oauth2/token', urlencode({'grant_type': 'client_credentials', **APP}), FORM),
        ('POST', '/services/Soap/u/64.0', SOAP, 'text/xml'),
        ('GET', '/services/data/v67.0/', None, FORM),
    ],
)
def test_a_host_that_is_no_text_is_a_bad_request(ask, method, path, body, kind):
    assert ask(method, path, body, Content_Type=kind, SOAPAction='""')[0] == 200
    assert ask(method, path, body, Content_Type=kind, SOAPAction='""', Host='\xff')[0] == 400


def test_basic_authentication_that_is_no_ascii_is_an_invalid_client(ask):
    body = urlencode({'grant_type': 'client_credentials'})
    status, answer = ask(
        'POST', '/services/oauth2/token', body, Content_Type=FORM, Authorization='Basic \xe9'
    )
    assert (status, answer['error']) == (400, 'invalid_client')


def test_numbers_of_thousands_of_digits_are_no_sizes_and_no_places(ask):
    for name in ('a', 'b'):
        ask.create('Contact', {'LastName': name})
    ask('PATCH', '/_fake/settings', {'query_page_size': 1})
    path = '/services/data/v67.0/query/'
    options = f'batchSize={"9" * 5000}'
    status, page = ask('GET', f'{path}?q=SELECT+Id+FROM+Contact', Sforce_Query_Options=options)
    assert (status, len(page['records'])) == (200, 1)
    locator = page['nextRecordsUrl'].rpartition('/')[2].partition('-')[0]
    status, [problem] = ask('GET', f'{path}{locator}-{"9" * 5000}')
    assert (status, problem['errorCode']) == (400, 'INVALID_QUERY_LOCATOR')
