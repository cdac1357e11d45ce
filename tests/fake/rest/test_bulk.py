"""Bulk API 1.0 without a socket."""

import json

import pytest
from fake_salesforce.api_requests import ApiRequest
from fake_salesforce.bulk import RECORDS_PER_BATCH

JOB = {'operation': 'insert', 'object': 'Contact', 'contentType': 'JSON', 'concurrencyMode': 'Parallel'}


@pytest.fixture
def world(tenant_world):
    return tenant_world


class Caller:
    """Asks as Ada, with a fresh token."""

    def __init__(self, world):
        self.world = world
        self.token = world.token()

    def __call__(self, method, path, value=None, *, version='67.0', **more):
        """Status and body; a text is sent as it is."""
        if value is not None:
            more.setdefault('body', value.encode() if isinstance(value, str) else json.dumps(value).encode())
        more = {'content_type': 'application/json', 'authorization': self.token, **more}
        reply = self.world.tenant.bulk.answer(
            ApiRequest(method, f'/{version}/{path}', **more), self.world.now
        )
        return reply.status, json.loads(reply.body)

    def job(self, **changes):
        status, body = self('POST', 'job', {**JOB, **changes})
        assert (status, body['state']) == (201, 'Open'), body
        return body['id']

    def batch(self, job, records):
        """Results of a batch that is taken."""
        status, info = self('POST', f'job/{job}/batch', records)
        assert (status, info['state']) == (201, 'Completed'), info
        return self('GET', f'job/{job}/batch/{info["id"]}/result')[1]


@pytest.fixture
def call(world):
    return Caller(world)


def names(world):
    return sorted(one['Name'] for one in world.org.query('SELECT Name FROM Contact', now=world.now))


def test_a_batch_is_done_when_it_is_posted(world, call):
    job = call.job()
    results = call.batch(job, [{'LastName': 'a', 'attributes': {}}, {'LastName': 'b'}])
    assert names(world) == ['a', 'b']
    assert results == [{'success': True, 'created': True, 'id': one['id'], 'errors': []} for one in results]


def test_a_record_that_fails_stops_no_other(world, call):
    job = call.job()
    good, bad, last = call.batch(job, [{'LastName': 'a'}, {'Nope': 1}, {'LastName': 'c'}])
    assert (good['success'], bad['success'], last['success']) == (True, False, True)
    assert (bad['errors'][0]['statusCode'], names(world)) == ('INVALID_FIELD', ['a', 'c'])
    info = call('GET', f'job/{job}')[1]
    assert (info['numberRecordsProcessed'], info['numberRecordsFailed']) == (3, 1)


def test_records_are_changed_and_deleted_by_their_id(world, call):
    made = call.batch(call.job(), [{'LastName': 'a'}])[0]['id']
    changed = call.batch(call.job(operation='update'), [{'Id': made, 'LastName': 'b'}])
    assert (changed[0]['success'], changed[0]['created'], names(world)) == (True, False, ['b'])
    missing = call.batch(call.job(operation='update'), [{'LastName': 'b'}])
    assert missing[0]['errors'][0]['statusCode'] == 'MISSING_ARGUMENT'
    assert call.batch(call.job(operation='delete'), [{'id': made}])[0]['success']
    assert names(world) == []


def test_records_are_upserted_by_an_external_id(world, call):
    world.seed(objects={'Invoice__c': {'fields': {'Key__c': {'type': 'text', 'external_id': True}}}})
    job = call.job(operation='upsert', object='Invoice__c', externalIdFieldName='Key__c')
    first, again, none = call.batch(
        job, [{'Key__c': 'A', 'Name': 'a'}, {'Key__c': 'A', 'Name': 'b'}, {'Name': 'c'}]
    )
    assert (first['created'], again['created'], again['id']) == (True, False, first['id'])
    assert none['errors'][0]['statusCode'] == 'MISSING_ARGUMENT'
    wrong = call.job(operation='upsert', object='Contact', externalIdFieldName='LastName')
    assert not call.batch(wrong, [{'LastName': 'x'}])[0]['success']


def test_a_query_is_read_in_one_result(world, call):
    call.batch(call.job(), [{'LastName': 'a'}, {'LastName': 'b'}])
    job = call.job(operation='query')
    batch = call('POST', f'job/{job}/batch', 'SELECT Name FROM Contact ORDER BY Name')[1]['id']
    (result,) = call('GET', f'job/{job}/batch/{batch}/result')[1]
    records = call('GET', f'job/{job}/batch/{batch}/result/{result}')[1]
    assert [one['Name'] for one in records] == ['a', 'b']
    assert call('GET', f'job/{job}/batch/{batch}/result/x')[0] == 404


def test_a_query_that_is_wrong_fails_its_batch(call):
    job = call.job(operation='queryAll')
    status, info = call('POST', f'job/{job}/batch', 'SELECT')
    assert (status, info['state']) == (201, 'Failed')
    assert info['stateMessage'].startswith('InvalidBatch : Failed to process query: MALFORMED_QUERY')
    assert call('GET', f'job/{job}')[1]['numberBatchesFailed'] == 1


def test_a_batch_can_be_looked_at_again(call):
    job = call.job()
    batch = call('POST', f'job/{job}/batch', [{'LastName': 'a'}])[1]
    assert call('GET', f'job/{job}/batch/{batch["id"]}') == (200, batch)
    assert call('GET', f'job/{job}/batch/{batch["id"]}/request') == (200, [{'LastName': 'a'}])


def test_changes_by_bulk_api_raise_no_notifications_of_push_topics(world, call):
    world.seed(push_topics=[{'Name': 'Contacts', 'Query': 'SELECT Id, Name FROM Contact'}])
    call.batch(call.job(), [{'LastName': 'a'}])
    assert [channel for channel, _ in world.events] == ['/data/ChangeEvents', '/data/ContactChangeEvent']
    user = world.org.users.by_username('ada@example.com').id
    world.org.create('Contact', {'LastName': 'b'}, user_id=user, now=world.now)
    assert '/topic/Contacts' in [channel for channel, _ in world.events]


@pytest.mark.parametrize('mode', ['Parallel', 'Serial', 0, 1])
def test_the_mode_of_a_job_has_a_name_or_a_number(call, mode):
    job = call.job(concurrencyMode=mode)
    assert call('GET', f'job/{job}')[1]['concurrencyMode'] == (
        'Serial' if mode in ('Serial', 1) else 'Parallel'
    )


@pytest.mark.parametrize('state', ['Closed', 'Aborted'])
def test_a_closed_job_takes_no_more(call, state):
    job = call.job()
    assert call('POST', f'job/{job}', {'state': state})[1]['state'] == state
    status, body = call('POST', f'job/{job}/batch', [{'LastName': 'a'}])
    assert (status, body['exceptionCode']) == (400, 'InvalidJobState')


@pytest.mark.parametrize(
    ('method', 'path', 'value', 'expected'),
    [
        ('POST', 'job', {**JOB, 'operation': 'merge'}, (400, 'InvalidJob')),
        ('POST', 'job', {**JOB, 'contentType': 'CSV'}, (400, 'InvalidJob')),
        ('POST', 'job', {**JOB, 'object': 1}, (400, 'InvalidJob')),
        ('POST', 'job', {**JOB, 'colour': 'red'}, (400, 'InvalidJob')),
        ('POST', 'job', {**JOB, 'concurrencyMode': 'Fast'}, (400, 'InvalidJob')),
        ('POST', 'job', {**JOB, 'operation': 'upsert'}, (400, 'InvalidJob')),
        ('POST', 'job', {**JOB, 'externalIdFieldName': 'x'}, (400, 'InvalidJob')),
        ('POST', 'job', [], (400, 'InvalidJob')),
        ('POST', 'job', '{', (400, 'InvalidBatch')),
        ('POST', 'job/{job}', {'state': 'Open'}, (400, 'InvalidJob')),
        ('POST', 'job/{job}/batch', {}, (400, 'InvalidBatch')),
        ('POST', 'job/{job}/batch', [], (400, 'InvalidBatch')),
        ('POST', 'job/{job}/batch', [1], (400, 'InvalidBatch')),
        ('POST', 'job/{job}/batch', [{}] * (RECORDS_PER_BATCH + 1), (400, 'InvalidBatch')),
        ('GET', 'job/{job}/batch/751', None, (404, 'InvalidBatch')),
        ('GET', 'job/750', None, (404, 'InvalidJob')),
        ('GET', 'job', None, (404, 'InvalidUrl')),
        ('DELETE', 'job/{job}', None, (404, 'InvalidUrl')),
    ],
)
def test_wrong_requests_are_refused(call, method, path, value, expected):
    status, body = call(method, path.replace('{job}', call.job()), value)
    assert (status, body['exceptionCode']) == expected


def test_another_content_type_than_that_of_the_job_is_refused(call):
    status, body = call('POST', f'job/{call.job()}/batch', [{}], content_type='text/csv')
    assert (status, body['exceptionCode']) == (400, 'InvalidBatch')


@pytest.mark.parametrize('version', ['30.0', '69.0', 'v67.0', 'x'])
def test_retired_and_unknown_versions_are_refused(call, version):
    status, body = call('POST', 'job', JOB, version=version)
    assert (status, body['exceptionCode']) == (400, 'InvalidVersion')


def test_an_expired_password_is_refused_as_by_rest_and_streaming(world, call):
    job = call.job()
    world.user(password_expired=True)
    status, body = call('POST', f'job/{job}/batch', [{'LastName': 'a'}])
    assert (status, body['exceptionCode']) == (400, 'InvalidSessionId')
    assert names(world) == []


def test_an_expired_session_is_refused_with_400_unlike_rest(world, call):
    world.now += 7200
    status, body = call('POST', 'job', JOB)
    assert (status, body) == (
        400,
        {'exceptionCode': 'InvalidSessionId', 'exceptionMessage': 'Invalid session id'},
    )


def test_a_missing_token_is_an_invalid_session(call):
    assert call('POST', 'job', JOB, authorization=None)[1]['exceptionCode'] == 'InvalidSessionId'
