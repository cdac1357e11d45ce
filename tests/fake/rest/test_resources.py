"""REST without a socket: versions, sessions, methods, paging, shapes."""

import json

import pytest
from fake_salesforce.api_requests import ApiRequest

ADA = 'ada@example.com'


@pytest.fixture
def world(tenant_world):
    return tenant_world


class Caller:
    """Asks as Ada, with a fresh token."""

    def __init__(self, world):
        self.world = world
        self.authorization = f'Bearer {world.token()}'

    def reply(self, method, path, value=None, *, version='67.0', **more):
        if value is not None:
            more.setdefault('body', json.dumps(value).encode())
            more.setdefault('content_type', 'application/json')
        path, _, query = path.partition('?')
        pairs = [pair.partition('=')[::2] for pair in query.split('&') if pair]
        more.setdefault('authorization', self.authorization)
        request = ApiRequest(method, f'/v{version}/{path}', dict(pairs), **more)
        return self.world.tenant.api.answer(request, self.world.now)

    def __call__(self, method, path, value=None, **more):
        """Status and body."""
        reply = self.reply(method, path, value, **more)
        return reply.status, json.loads(reply.body) if reply.body else None

    def create(self, sobject, **values):
        status, body = self('POST', f'sobjects/{sobject}/', values)
        assert status == 201, body
        return body['id']


@pytest.fixture
def call(world):
    return Caller(world)


def error(answer):
    """Status and code of an answer that is one error, in a list."""
    status, body = answer
    assert isinstance(body, list)
    assert len(body) == 1
    assert {'message', 'errorCode'} <= set(body[0])
    return status, body[0]['errorCode']


# --- versions -----------------------------------------------------------------------------------------


@pytest.mark.parametrize('path', ['', '/'])
def test_versions_are_told_to_everybody(world, path):
    reply = world.tenant.api.answer(ApiRequest('GET', path), world.now)
    versions = json.loads(reply.body)
    assert versions[0] == {'label': "Summer '14", 'url': '/services/data/v31.0', 'version': '31.0'}
    assert [one['label'] for one in versions[-3:]] == ["Spring '26", "Summer '26", "Winter '27"]
    assert versions[-1]['version'] == '68.0'


def test_versions_can_only_be_read(world):
    reply = world.tenant.api.answer(ApiRequest('POST', '/'), world.now)
    assert reply.status == 405


@pytest.mark.parametrize(
    ('path', 'expected'),
    [
        ('/v30.0/limits', (410, 'GONE')),
        ('/v69.0/limits', (404, 'NOT_FOUND')),
        ('/67.0/limits', (404, 'NOT_FOUND')),
        ('/v67/limits', (404, 'NOT_FOUND')),
        ('/v67.1/limits', (404, 'NOT_FOUND')),
        ('/v31.0/limits', (200, None)),
        ('/v68.0/limits', (200, None)),
    ],
)
def test_versions_are_retired_or_not_yet_there(world, call, path, expected):
    reply = world.tenant.api.answer(ApiRequest('GET', path, authorization=call.authorization), world.now)
    assert (reply.status, reply.error) == expected


def test_the_range_of_versions_can_be_set(world, call):
    world.configure(oldest_api_version='41.0', newest_api_version='66.0')
    statuses = [call('GET', 'limits', version=version)[0] for version in ('40.0', '41.0', '66.0', '67.0')]
    assert statuses == [410, 200, 200, 404]


# --- sessions -----------------------------------------------------------------------------------------


def test_an_expired_session_is_401_in_a_list(world, call):
    world.now += 7200
    assert call('GET', 'limits') == (
        401,
        [{'message': 'Session expired or invalid', 'errorCode': 'INVALID_SESSION_ID'}],
    )


@pytest.mark.parametrize('header', [None, 'Basic abc', 'token'])
def test_a_missing_or_strange_header_is_named(call, header):
    assert error(call('GET', 'limits', authorization=header)) == (401, 'INVALID_AUTH_HEADER')


def test_a_session_without_the_scope_is_401_whatever_login_comes_next(world, call):
    world.app(scopes=['id', 'web'])
    app = ('fake-consumer-key', 'fake-consumer-secret')
    session = world.identity.log_in_password(ADA, 'secrettoken', *app, world.now)
    status, body = call('GET', 'limits', authorization=f'Bearer {session.access_token}')
    assert (status, body[0]['errorCode']) == (401, 'INVALID_SESSION_ID')
    assert body[0]['message'].startswith('This session is not valid for use with')


def test_an_expired_password_is_401_of_its_own(world, call):
    world.user(password_expired=True)
    assert error(call('GET', 'limits')) == (401, 'INVALID_OPERATION_WITH_EXPIRED_PASSWORD')


# --- ways to be refused -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    'path',
    [
        'composite',
        'sobjects/Nothing__c/',
        'sobjects/Contact/1/2/3/4',
        'x',
        'search/',
        'limits/x',
        'tooling/query',
    ],
)
def test_unknown_resources_are_not_found(call, path):
    assert error(call('GET', path)) == (404, 'NOT_FOUND')


def test_wrong_methods_are_told_the_right_ones(call):
    status, body = call('PATCH', 'sobjects/Contact/', {})
    assert (status, body[0]['errorCode']) == (405, 'METHOD_NOT_ALLOWED')
    assert body[0]['message'] == "HTTP Method 'PATCH' not allowed. Allowed are HEAD,GET,POST"
    assert error(call('DELETE', 'query/')) == (405, 'METHOD_NOT_ALLOWED')


def test_unknown_parameters_are_refused_so_that_typing_errors_show(call):
    assert error(call('GET', 'query/?Q=x')) == (400, 'INVALID_PARAMETER')


@pytest.mark.parametrize(
    ('more', 'expected'),
    [
        ({'body': b'{', 'content_type': 'application/json'}, (400, 'JSON_PARSER_ERROR')),
        ({'body': b'[]', 'content_type': 'application/json'}, (400, 'JSON_PARSER_ERROR')),
        ({'body': b'[' * 100_000, 'content_type': 'application/json'}, (400, 'JSON_PARSER_ERROR')),
        ({}, (400, 'JSON_PARSER_ERROR')),
        ({'body': b'{}', 'content_type': 'text/plain'}, (415, 'UNSUPPORTED_MEDIA_TYPE')),
        ({'body': b'{}'}, (415, 'UNSUPPORTED_MEDIA_TYPE')),
    ],
)
def test_unusable_bodies_are_refused(call, more, expected):
    assert error(call('POST', 'sobjects/Contact/', **more)) == expected


def test_errors_of_the_org_keep_their_fields(call):
    status, body = call('POST', 'sobjects/Contact/', {'Email': 'a@b.c'})
    assert (status, body[0]['errorCode'], body[0]['fields']) == (400, 'REQUIRED_FIELD_MISSING', ['LastName'])
    assert error(call('POST', 'sobjects/Contact/', {'LastName': 'x', 'Nope': 1})) == (400, 'INVALID_FIELD')


def test_rest_can_be_unavailable(world, call):
    world.configure(rest_unavailable=True)
    assert error(call('GET', 'limits')) == (503, 'SERVER_UNAVAILABLE')


def test_requests_are_limited_per_day(world, call):
    world.configure(daily_api_requests=2, token_lifetime=1e6)
    call.authorization = f'Bearer {world.token()}'
    reply = call.reply('GET', 'limits')
    assert reply.headers['Sforce-Limit-Info'] == 'api-usage=1/2'
    assert json.loads(reply.body)['DailyApiRequests'] == {'Max': 2, 'Remaining': 1}
    assert call('GET', 'limits')[0] == 200
    assert error(call('GET', 'limits')) == (403, 'REQUEST_LIMIT_EXCEEDED')
    world.now += 86_400
    assert call('GET', 'limits')[0] == 200


# --- what there is to know ------------------------------------------------------------------------------


@pytest.mark.parametrize('path', ['', 'limits', 'sobjects', 'query?q=SELECT Id FROM Contact'])
def test_a_slash_at_the_end_changes_nothing(call, path):
    name, question, query = path.partition('?')
    assert call('GET', path)[1].keys() == call('GET', f'{name}/{question}{query}')[1].keys()


def test_resources_name_the_user_behind_the_token(world, call):
    resources = call('GET', '', base_url='http://127.0.0.1:8080')[1]
    assert resources['sobjects'] == '/services/data/v67.0/sobjects'
    ada = world.org.users.by_username(ADA)
    assert resources['identity'] == f'http://127.0.0.1:8080/id/{world.org.organization_id}/{ada.id}'


@pytest.mark.parametrize(
    ('version', 'name'),
    [('37.0', 'DurableStreamingApiConcurrentClients'), ('36.0', 'StreamingApiConcurrentClients')],
)
def test_limits_of_streaming_have_other_names_in_old_versions(call, version, name):
    limits = call('GET', 'limits/', version=version)[1]
    assert limits[name] == {'Max': 2000, 'Remaining': 1999}
    assert len(limits) == 2


def test_objects_are_described(call):
    assert 'Contact' in [one['name'] for one in call('GET', 'sobjects/')[1]['sobjects']]
    described = call('GET', 'sobjects/contact/describe')[1]
    assert described['name'] == 'Contact'
    assert {'Id', 'LastName', 'Email'} <= {one['name'] for one in described['fields']}
    brief = call('GET', 'sobjects/Contact/')[1]
    assert (brief['objectDescribe']['name'], brief['recentItems']) == ('Contact', [])
    assert 'fields' not in brief['objectDescribe']
    assert error(call('GET', 'sobjects/Nothing__c/describe')) == (404, 'NOT_FOUND')


# --- records --------------------------------------------------------------------------------------------


def test_a_record_lives_and_dies(call):
    reply = call.reply(
        'POST', 'sobjects/Contact/', {'attributes': {'type': 'Contact'}, 'LastName': 'Lovelace'}
    )
    made = json.loads(reply.body)
    assert (reply.status, made) == (201, {'id': made['id'], 'success': True, 'errors': []})
    path = f'sobjects/Contact/{made["id"]}'
    assert reply.headers['Location'] == f'/services/data/v67.0/{path}'
    assert call('GET', f'{path}?fields=Id,LastName')[1] == {
        'attributes': {'type': 'Contact', 'url': f'/services/data/v67.0/{path}'},
        'Id': made['id'],
        'LastName': 'Lovelace',
    }
    assert call('PATCH', path, {'FirstName': 'Ada'}) == (204, None)
    assert call('GET', path)[1]['Name'] == 'Ada Lovelace'
    assert call('DELETE', path) == (204, None)
    assert call('GET', path)[0] == 404
    assert call('DELETE', path)[0] == 404


def test_the_user_of_the_token_is_the_one_who_wrote(world, call):
    path = f'sobjects/Contact/{call.create("Contact", LastName="x")}'
    assert call('GET', path)[1]['CreatedById'] == world.org.users.by_username(ADA).id


def test_a_head_request_is_answered_like_a_get(call):
    assert call.reply('HEAD', 'limits').status == 200


@pytest.fixture
def invoices(world, call):
    world.seed(
        objects={
            'Invoice__c': {'fields': {'Key__c': {'type': 'text', 'external_id': True}, 'Paid__c': 'text'}}
        }
    )
    return call


def test_an_upsert_creates_or_changes_by_an_external_id(invoices):
    path = 'sobjects/Invoice__c/Key__c/A-1'
    status, body = invoices('PATCH', path, {'Name': 'first', 'Paid__c': 'no'})
    assert (status, body) == (201, {'id': body['id'], 'success': True, 'errors': [], 'created': True})
    again = {'id': body['id'], 'success': True, 'errors': [], 'created': False}
    assert invoices('PATCH', path, {'Paid__c': 'yes'}) == (200, again)
    assert invoices('PATCH', path, {'Paid__c': 'maybe'}, version='45.0') == (204, None)
    assert invoices('GET', f'{path}?fields=Paid__c,Key__c')[1]['Paid__c'] == 'maybe'
    assert invoices('DELETE', path) == (204, None)
    assert error(invoices('GET', path)) == (404, 'NOT_FOUND')


@pytest.mark.parametrize('type_', ['number', 'int'])
def test_an_upsert_by_a_number_creates_and_changes(world, call, type_):
    field = {'Number__c': {'type': type_, 'external_id': True}}
    world.seed(objects={'Box__c': {'fields': {**field, 'Paid__c': 'text'}}})
    path = 'sobjects/Box__c/Number__c/42'
    status, body = call('PATCH', path, {'Paid__c': 'no'})
    assert (status, body['created']) == (201, True)
    assert call('PATCH', path, {'Paid__c': 'yes'})[1]['created'] is False
    assert (call('GET', path)[1]['Number__c'], call('GET', path)[1]['Paid__c']) == (42, 'yes')
    assert error(call('GET', 'sobjects/Box__c/Number__c/41')) == (404, 'NOT_FOUND')
    assert error(call('PATCH', 'sobjects/Box__c/Number__c/x', {})) == (400, 'JSON_PARSER_ERROR')
    assert call('DELETE', path) == (204, None)


def test_an_upsert_does_not_repeat_its_key_in_the_body(invoices):
    assert error(invoices('PATCH', 'sobjects/Invoice__c/Key__c/A-1', {'key__c': 'A-1'})) == (
        400,
        'INVALID_FIELD',
    )


@pytest.mark.parametrize('field', ['Paid__c', 'Nothing__c'])
def test_an_upsert_needs_an_external_id(invoices, field):
    assert error(invoices('PATCH', f'sobjects/Invoice__c/{field}/x', {'Name': 'x'})) == (404, 'NOT_FOUND')


def test_writing_raises_the_events_of_the_org(world, call):
    call.create('Contact', LastName='Lovelace')
    assert [channel for channel, _ in world.events] == ['/data/ChangeEvents', '/data/ContactChangeEvent']


def test_a_platform_event_is_published_by_creating_it(world, call):
    call.create('Low_Ink__e', Printer_Model__c='XZO-5')
    ((channel, data),) = world.events
    assert (channel, data['payload']['Printer_Model__c']) == ('/event/Low_Ink__e', 'XZO-5')


def test_generic_events_are_pushed_into_their_channel(world, call):
    found = call('GET', 'query/?q=SELECT Id, Name FROM StreamingChannel')[1]['records'][0]
    path = f'sobjects/StreamingChannel/{found["Id"]}/push'
    status, body = call('POST', path, {'pushEvents': [{'payload': 'hello', 'userIds': []}]})
    assert (status, body) == (200, [{'fanoutCount': -1, 'userOnlineStatus': {}}])
    ((channel, data),) = world.events
    assert (channel, data['payload']) == (found['Name'], 'hello')
    for wrong in ({}, [], {'pushEvents': {}}, {'pushEvents': [], 'x': 1}):
        assert error(call('POST', path, wrong)) == (400, 'JSON_PARSER_ERROR')


def test_refused_push_topics_are_told_as_the_org_does(call):
    topic = {'Name': 'x' * 26, 'Query': 'SELECT Id, Name FROM Contact', 'ApiVersion': 67.0}
    assert call('POST', 'sobjects/PushTopic/', topic)[0] == 400
    topic = {'Name': 'Mine', 'Query': 'SELECT Id FROM Contact LIMIT 1', 'ApiVersion': 67.0}
    assert error(call('POST', 'sobjects/PushTopic/', topic)) == (400, 'INVALID_FIELD')


# --- queries --------------------------------------------------------------------------------------------


def test_a_query_that_is_short_is_done_at_once(call):
    record_id = call.create('Contact', LastName='Lovelace')
    assert call('GET', 'query/?q=SELECT Id, Name FROM Contact') == (
        200,
        {
            'totalSize': 1,
            'done': True,
            'records': [
                {
                    'attributes': {
                        'type': 'Contact',
                        'url': f'/services/data/v67.0/sobjects/Contact/{record_id}',
                    },
                    'Id': record_id,
                    'Name': 'Lovelace',
                }
            ],
        },
    )


def test_counting_tells_a_number_and_no_records(call):
    call.create('Contact', LastName='Lovelace')
    answer = {'totalSize': 1, 'done': True, 'records': []}
    assert call('GET', 'query/?q=SELECT COUNT() FROM Contact') == (200, answer)


@pytest.mark.parametrize('resource', ['query', 'queryAll'])
def test_a_long_answer_comes_in_pages_of_one_moment(world, call, resource):
    world.configure(query_page_size=2)
    made = [call.create('Contact', LastName=f'{number}') for number in range(5)]
    page = call('GET', f'{resource}/?q=SELECT Id FROM Contact')[1]
    call.create('Contact', LastName='too late')
    ids, dones = [], []
    while True:
        assert page['totalSize'] == 5
        ids += [one['Id'] for one in page['records']]
        dones.append(page['done'])
        if page['done']:
            break
        root, _, path = page['nextRecordsUrl'].partition('/v67.0/')
        assert (root, path.partition('/')[0]) == ('/services/data', resource)
        page = call('GET', path)[1]
    assert (sorted(ids), dones) == (sorted(made), [False, False, True])
    assert 'nextRecordsUrl' not in page


def test_a_batch_size_is_taken_between_200_and_the_page_size(world, call):
    world.seed(records={'Contact': [{'LastName': str(number)} for number in range(450)]})
    query = 'query/?q=SELECT Id FROM Contact'
    sizes = [
        len(call('GET', query, options=options)[1]['records'])
        for options in ('batchSize=200', 'batchSize = 300', 'batchSize=1', 'batchSize=9999', 'nonsense', '')
    ]
    assert sizes == [200, 300, 200, 450, 450, 450]


@pytest.mark.parametrize(
    ('query', 'code'),
    [
        ('query/', 'MALFORMED_QUERY'),
        ('query/?q=', 'MALFORMED_QUERY'),
        ('query/?q=SELECT', 'MALFORMED_QUERY'),
        ('query/?q=SELECT Nope FROM Contact', 'INVALID_FIELD'),
        ('query/?q=SELECT Id FROM Nope', 'INVALID_TYPE'),
    ],
)
def test_wrong_queries_are_refused(call, query, code):
    assert error(call('GET', query)) == (400, code)


def test_only_query_all_finds_what_was_deleted(call):
    path = f'sobjects/Contact/{call.create("Contact", LastName="x")}'
    call('DELETE', path)
    sizes = [
        call('GET', f'{name}/?q=SELECT Id FROM Contact')[1]['totalSize'] for name in ('query', 'queryAll')
    ]
    assert sizes == [0, 1]
