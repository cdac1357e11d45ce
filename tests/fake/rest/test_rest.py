"""REST over HTTP: raw, and by simple-salesforce, which others wrote."""

import http.client
import json
from urllib.parse import quote

import pytest
from simple_salesforce import Salesforce, exceptions

ADA = {'username': 'ada@example.com', 'password': 'secret', 'security_token': 'token'}


@pytest.fixture
def org(fake_salesforce, to_fake):
    """simple-salesforce, logged in as Ada."""
    return Salesforce(**ADA, version='64.0', session=to_fake)


def test_versions_are_told_without_a_token(fetch):
    for path in ('/services/data', '/services/data/'):
        status, body, headers = fetch('GET', path)
        assert (status, body[-1]['version']) == (200, '68.0')
        assert headers['Content-Type'] == 'application/json;charset=UTF-8'


def test_the_life_of_a_record_is_in_the_journal_without_its_token(fake_salesforce, fetch):
    fetch.log_in()
    status, body, _ = fetch('POST', '/services/data/v67.0/sobjects/Contact/', {'LastName': 'Lovelace'})
    assert status == 201
    path = f'/services/data/v67.0/sobjects/Contact/{body["id"]}'
    assert fetch('PATCH', path, {'FirstName': 'Ada'})[:2] == (204, '')
    assert fetch('GET', path)[1]['Name'] == 'Ada Lovelace'
    assert fetch('GET', path + 'x')[0] == 404
    entries = fake_salesforce.wait_for('rest', count=4)
    assert [entry.detail for entry in entries[1:]] == [
        {'method': 'PATCH', 'path': path, 'status': 204, 'error': None},
        {'method': 'GET', 'path': path, 'status': 200, 'error': None},
        {'method': 'GET', 'path': path + 'x', 'status': 404, 'error': 'NOT_FOUND'},
    ]


def test_a_head_request_has_no_body(fetch):
    status, body, _ = fetch.log_in()('HEAD', '/services/data/v67.0/limits/')
    assert (status, body) == (200, '')


def test_options_of_queries_come_in_a_header(fake_salesforce, fetch):
    fake_salesforce.seed({'records': {'Contact': [{'LastName': str(number)} for number in range(201)]}})
    path = '/services/data/v67.0/query/?q=SELECT+Id+FROM+Contact'
    first = fetch.log_in()('GET', path, Sforce_Query_Options='batchSize=200')[1]
    assert (len(first['records']), first['totalSize'], first['done']) == (200, 201, False)
    assert len(fetch('GET', first['nextRecordsUrl'])[1]['records']) == 1


def test_revoked_tokens_and_passed_time_end_sessions(fake_salesforce, fetch):
    path = '/services/data/v67.0/limits/'
    assert fetch.log_in()('GET', path)[0] == 200
    assert fake_salesforce.revoke_tokens('integration@example.com') == 1
    assert fetch('GET', path)[:2] == (
        401,
        [{'message': 'Session expired or invalid', 'errorCode': 'INVALID_SESSION_ID'}],
    )
    assert fetch.log_in()('GET', path)[0] == 200
    fake_salesforce.advance(7200)
    assert fetch('GET', path)[0] == 401
    fake_salesforce.configure(token_lifetime=1e6)
    fetch.log_in()
    fake_salesforce.advance(7200)
    assert fetch('GET', path)[0] == 200


def test_a_reset_brings_another_org(fake_salesforce, fetch):
    fetch.log_in()
    fetch('POST', '/services/data/v67.0/sobjects/Contact/', {'LastName': 'Lovelace'})
    fake_salesforce.reset()
    path = '/services/data/v67.0/query/?q=SELECT+COUNT()+FROM+Contact'
    assert fetch('GET', path)[0] == 401
    assert fetch.log_in()('GET', path)[1]['totalSize'] == 0


def test_faults_strike_requests_that_they_name(fake_salesforce, fetch):
    fetch.log_in()
    path = '/services/data/v67.0/limits/'
    fake_salesforce.faults.add('status', channel='/services/data/**', status=503)
    assert fetch('GET', path)[0] == 503
    fake_salesforce.faults.add('html', channel='rest')
    assert 'maintenance' in fetch('GET', path)[1]
    fake_salesforce.faults.add('empty', channel='rest', nth=2)
    assert fetch('GET', path)[0] == 200
    with pytest.raises(ValueError):
        fetch('GET', path)
    fake_salesforce.faults.add('truncate', channel='rest', bytes=5)
    with pytest.raises(http.client.IncompleteRead):
        fetch('GET', path)


def test_a_request_whose_answer_is_lost_was_done(fake_salesforce, fetch):
    fetch.log_in()
    fake_salesforce.faults.add('drop_after', channel='rest')
    with pytest.raises(ConnectionError):
        fetch('POST', '/services/data/v67.0/sobjects/Contact/', {'LastName': 'Lovelace'})
    path = '/services/data/v67.0/query/?q=SELECT+COUNT()+FROM+Contact'
    assert fetch('GET', path)[1]['totalSize'] == 1
    fake_salesforce.faults.add('drop_before', channel='rest')
    with pytest.raises(ConnectionError):
        fetch('POST', '/services/data/v67.0/sobjects/Contact/', {'LastName': 'Lovelace'})
    assert fetch('GET', path)[1]['totalSize'] == 1


def test_a_fault_for_bayeux_messages_does_nothing_to_rest(fake_salesforce, fetch):
    fetch.log_in()
    fake_salesforce.faults.add('reorder', channel='rest')
    assert fetch('GET', '/services/data/v67.0/limits/')[0] == 200


# --- from REST to streaming -------------------------------------------------------------------------------


class Listener:
    """A streaming client as simple as can be."""

    def __init__(self, fetch, channel):
        self.fetch = fetch
        self.cookies = ''
        reply = self.ask('/meta/handshake', version='1.0', supportedConnectionTypes=['long-polling'])
        self.client_id = reply[0].get('clientId')
        self.handshake = reply[0]
        if self.client_id is not None:
            self.ask('/meta/connect', connectionType='long-polling')
            self.subscribed = self.ask('/meta/subscribe', subscription=channel)[0]

    def ask(self, channel, **fields):
        message = {'channel': channel, 'id': '1', **fields}
        if getattr(self, 'client_id', None):
            message['clientId'] = self.client_id
        status, body, headers = self.fetch('POST', '/cometd/67.0', [message], Cookie=self.cookies)
        given = headers.get_all('Set-Cookie', [])
        if given:
            self.cookies = '; '.join(text.partition(';')[0] for text in given)
        return body

    def events(self):
        """Events that wait."""
        self.fetch('GET', '/services/data/')  # anything
        return [one for one in self.ask('/meta/connect', connectionType='long-polling') if 'data' in one]


def test_a_write_over_rest_reaches_a_subscriber(fetch, org):
    listener = Listener(fetch.log_in(), '/topic/InvoiceStatementUpdates')
    assert listener.subscribed['successful'] is True
    made = org.Invoice_Statement__c.create({'Status__c': 'Open'})
    (event,) = listener.events()
    assert event['channel'] == '/topic/InvoiceStatementUpdates'
    assert event['data']['sobject']['Id'] == made['id']
    assert event['data']['event']['type'] == 'created'
    assert isinstance(event['data']['event']['replayId'], int)


def test_a_push_topic_made_over_rest_can_be_subscribed_to(fetch, org):
    assert Listener(fetch.log_in(), '/topic/Mine').subscribed['successful'] is False
    topic = {
        'Name': 'Mine',
        'Query': 'SELECT Id, Name FROM Contact',
        'ApiVersion': 64.0,
        'NotifyForFields': 'All',
    }
    made = org.PushTopic.create(topic)
    listener = Listener(fetch, '/topic/Mine')
    assert listener.subscribed['successful'] is True
    org.Contact.create({'LastName': 'Lovelace'})
    assert [event['data']['sobject']['Name'] for event in listener.events()] == ['Lovelace']
    assert org.PushTopic.update(made['id'], {'IsActive': False}) == 204


def test_a_platform_event_published_over_rest_reaches_a_subscriber(fetch, org):
    listener = Listener(fetch.log_in(), '/event/Low_Ink__e')
    org.Low_Ink__e.create({'Printer_Model__c': 'XZO-5'})
    (event,) = listener.events()
    assert event['data']['payload']['Printer_Model__c'] == 'XZO-5'


def test_a_revoked_token_is_refused_by_streaming(fake_salesforce, fetch):
    fetch.log_in()
    fake_salesforce.revoke_tokens()
    assert Listener(fetch, '/topic/InvoiceStatementUpdates').handshake['successful'] is False


# --- simple-salesforce ------------------------------------------------------------------------------------


def test_simple_salesforce_creates_reads_changes_and_deletes(org):
    made = org.Contact.create({'LastName': 'Lovelace', 'Email': 'ada@example.com'})
    assert dict(made, id='') == {'id': '', 'success': True, 'errors': []}
    assert org.Contact.get(made['id'])['Email'] == 'ada@example.com'
    assert org.Contact.update(made['id'], {'FirstName': 'Ada'}) == 204
    assert org.Contact.get(made['id'])['Name'] == 'Ada Lovelace'
    assert org.Contact.delete(made['id']) == 204
    with pytest.raises(exceptions.SalesforceResourceNotFound):
        org.Contact.get(made['id'])


def test_simple_salesforce_upserts_by_an_external_id(fake_salesforce, org):
    fake_salesforce.seed(
        {
            'objects': {
                'Invoice__c': {'fields': {'Key__c': {'type': 'text', 'external_id': True}, 'Paid__c': 'text'}}
            }
        }
    )
    assert org.Invoice__c.upsert('Key__c/A-1', {'Paid__c': 'no'}) == 201
    assert org.Invoice__c.upsert('Key__c/A-1', {'Paid__c': 'yes'}) == 200
    found = org.Invoice__c.get_by_custom_id('Key__c', 'A-1')
    assert found['Paid__c'] == 'yes'
    assert org.Invoice__c.upsert('Key__c/A%2F1', {}) == 201
    assert org.query("SELECT Id FROM Invoice__c WHERE Key__c = 'A/1'")['totalSize'] == 1


def test_simple_salesforce_describes(org):
    assert 'Contact' in [one['name'] for one in org.describe()['sobjects']]
    assert 'LastName' in [one['name'] for one in org.Contact.describe()['fields']]
    assert org.Contact.metadata()['objectDescribe']['name'] == 'Contact'
    assert org.restful('limits/')['DailyApiRequests']['Max'] == 100_000
    assert org.oauth2('userinfo')['preferred_username'] == 'ada@example.com'


def test_simple_salesforce_queries_page_by_page(fake_salesforce, org):
    fake_salesforce.seed({'records': {'Contact': [{'LastName': str(number)} for number in range(7)]}})
    fake_salesforce.configure(query_page_size=3)
    query = 'SELECT Id, LastName FROM Contact ORDER BY LastName'
    assert [one['LastName'] for one in org.query_all(query)['records']] == list('0123456')
    assert [one['LastName'] for one in org.query_all_iter(query)] == list('0123456')
    first = org.query(query)
    assert (first['totalSize'], first['done']) == (7, False)
    assert org.query_more(first['nextRecordsUrl'], True)['records'][0]['LastName'] == '3'
    assert org.query(query, include_deleted=True)['totalSize'] == 7


def test_simple_salesforce_reads_our_errors(fake_salesforce, org):
    with pytest.raises(exceptions.SalesforceMalformedRequest) as refused:
        org.PushTopic.create({'Name': 'Mine', 'Query': 'SELECT Id FROM Contact LIMIT 1', 'ApiVersion': 64.0})
    assert refused.value.content[0]['errorCode'] == 'INVALID_FIELD'
    topic = {'Name': 'Mine', 'Query': 'SELECT Id, Name FROM Contact', 'ApiVersion': 64.0}
    org.PushTopic.create(topic)
    with pytest.raises(exceptions.SalesforceMalformedRequest) as refused:
        org.PushTopic.create(topic)
    assert refused.value.content[0]['errorCode'] == 'DUPLICATE_VALUE'
    with pytest.raises(exceptions.SalesforceResourceNotFound):
        org.Nothing__c.create({})
    fake_salesforce.configure(rest_unavailable=True)
    with pytest.raises(exceptions.SalesforceGeneralError) as refused:
        org.limits()
    assert refused.value.status == 503


def test_simple_salesforce_logs_in_again_when_its_session_ends(fake_salesforce, org):
    fake_salesforce.revoke_tokens()
    assert org.Contact.create({'LastName': 'Lovelace'})['success']
    assert len(fake_salesforce.journal('login', flow='soap', status=200)) == 2
    fake_salesforce.wait_for('rest', status=401, error='INVALID_SESSION_ID')


def test_simple_salesforce_takes_a_session_of_others(fake_salesforce, fetch, to_fake):
    token = fetch.log_in().token
    direct = Salesforce(instance_url=fake_salesforce.base_url, session_id=token, session=to_fake)
    assert direct.query('SELECT Id FROM User')['totalSize'] >= 2
    fake_salesforce.revoke_tokens()
    with pytest.raises(exceptions.SalesforceExpiredSession) as expired:
        direct.limits()
    assert json.dumps(expired.value.content) == json.dumps(
        [{'message': 'Session expired or invalid', 'errorCode': 'INVALID_SESSION_ID'}]
    )


def test_simple_salesforce_writes_in_bulk(fake_salesforce, org):
    records = [{'LastName': str(number)} for number in range(5)]
    results = org.bulk.Contact.insert(records, batch_size=2)
    assert [one['success'] for one in results] == [True] * 5
    assert org.query('SELECT COUNT() FROM Contact')['totalSize'] == 5
    ((found,),) = [org.bulk.Contact.query("SELECT Id FROM Contact WHERE LastName = '3'")]
    changed = org.bulk.Contact.update([{'Id': found['Id'], 'FirstName': 'three'}])
    assert changed[0]['success']
    (wrong,) = org.bulk.Contact.insert([{'Nope': 'x'}])
    assert wrong['errors'][0]['statusCode'] == 'INVALID_FIELD'
    assert org.bulk.Contact.delete([{'Id': found['Id']}])[0]['success']
    assert org.query('SELECT COUNT() FROM Contact')['totalSize'] == 4


@pytest.mark.parametrize('body', [b'{"LastName": NaN}', b'{"LastName": 1e400}', b'[' * 100_000, b'\xff'])
def test_what_is_no_json_is_refused(fetch, body):
    status, answer, _ = fetch.log_in()(
        'POST', '/services/data/v67.0/sobjects/Contact/', body, Content_Type='application/json'
    )
    assert (status, answer[0]['errorCode']) == (400, 'JSON_PARSER_ERROR')


def test_a_query_may_be_as_long_as_salesforce_allows(fetch):
    query = "SELECT Id FROM Contact WHERE Name IN ('" + 'x' * 15_000 + "')"
    status, answer, _ = fetch.log_in()('GET', f'/services/data/v67.0/query/?q={quote(query)}')
    assert (status, answer['totalSize']) == (200, 0)
