import pytest
from fake_salesforce.org.seed import default_seed, load_seed, read_seed


def test_the_built_in_seed_has_two_users_one_app_and_something_to_watch():
    seed = read_seed(default_seed())
    assert [each.username for each in seed.users] == ['integration@example.com', 'ada@example.com']
    assert {(each.password, each.security_token) for each in seed.users} == {('secret', 'token')}
    (app,) = seed.apps
    assert (app.name, app.consumer_key, app.consumer_secret, app.run_as) == (
        'demo',
        'fake-consumer-key',
        'fake-consumer-secret',
        'integration@example.com',
    )
    assert (app.approved, app.scopes) == ((), ('id', 'api', 'refresh_token'))
    assert [each.name for each in seed.objects] == ['Invoice_Statement__c', 'Low_Ink__e']
    assert seed.record_types == (('Contact', 'Student'),)
    assert seed.change_data_capture == ('Account', 'Contact')
    assert [each['Name'] for each in seed.push_topics] == ['InvoiceStatementUpdates']
    assert len(seed.streaming_channels) == 1
    assert seed.records == ()


def test_an_empty_seed_is_a_seed():
    assert load_seed('') == {}
    assert read_seed({}).users == ()


def test_dates_in_yaml_are_texts_as_in_json():
    assert load_seed('a: 2026-03-02\nb: 2026-03-02T10:00:00Z') == {
        'a': '2026-03-02',
        'b': '2026-03-02T10:00:00Z',
    }


@pytest.mark.parametrize('text', ['a: [', '- a', '5'])
def test_what_is_no_mapping_is_refused(text):
    with pytest.raises(ValueError, match='not'):
        load_seed(text)


def test_what_is_left_out_has_a_default():
    (user,) = read_seed({'users': [{'username': 'a@b.c'}]}).users
    assert (user.password, user.active, user.locked, user.api_login) == ('', True, False, True)
    assert user.profile == 'System Administrator'
    (sobject,) = read_seed({'objects': {'Big_Box__c': {}}}).objects
    assert (sobject.label, sobject.with_name, sobject.fields) == ('Big Box', True, ())


def test_every_problem_is_named_at_once():
    seed = {
        'user': [],
        'users': [{'password': 'hidden'}, {'username': 'a', 'password': 5}, 'x'],
        'apps': [
            {'name': 'a', 'consumer_key': 'k', 'approved': 'me'},
            {'name': 'b', 'consumer_key': 'k', 'approved': [1]},
        ],
        'organization': {'name': 5},
        'objects': {'A__c': {'fields': {'B__c': 'txt'}, 'labell': 'x'}, 'B__c': 5},
        'record_types': {'Contact': 'Student'},
        'change_data_capture': ['Contact', 5],
        'channels': {'/data/X__chn': 'Account'},
        'push_topics': ['x'],
        'records': {'Contact': {'LastName': 'x'}},
    }
    with pytest.raises(ValueError) as refused:
        read_seed(seed)
    problems = str(refused.value).split('; ')
    assert [each.split(': ')[0] for each in problems] == [
        'user',
        'organization.name',
        'users[0].username',
        'users[1].password',
        'users[2]',
        'apps[0].approved',
        'apps[1].approved',
        'objects.A__c.labell',
        'objects.A__c.B__c',
        'objects.B__c',
        'record_types.Contact',
        'change_data_capture',
        'channels./data/X__chn',
        'push_topics',
        'records.Contact',
    ]
    assert 'users[0].username: missing' in problems
    assert 'users[1].password: not a text' in problems


def test_a_key_that_is_no_text_is_a_problem():
    seed = load_seed(
        'records: {Account: [{Name: Acme, 1: x}]}\npush_topics: [{Name: A, on: x}]\nobjects: {2: {}}'
    )
    with pytest.raises(ValueError) as refused:
        read_seed(seed)
    assert str(refused.value).split('; ') == [
        'push_topics: the key True is not a text',
        'records.Account: the key 1 is not a text',
    ]


def test_no_problem_quotes_a_secret():
    with pytest.raises(ValueError) as refused:
        read_seed({'users': [{'username': 'a', 'password': ['secret']}]})
    assert 'secret' not in str(refused.value)


def test_secrets_are_in_no_repr():
    text = repr(read_seed(default_seed()))
    assert "'secret'" not in text
    assert "'token'" not in text
    assert 'fake-consumer-secret' not in text
