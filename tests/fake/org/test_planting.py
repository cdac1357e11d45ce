import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from fake_salesforce.org import OrgError, default_seed

PEM = (
    rsa.generate_private_key(65_537, 2048)
    .public_key()
    .public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    .decode()
)


def problems(world, **seed):
    with pytest.raises(ValueError) as refused:
        world.org.add(seed)
    return str(refused.value).split('; ')


def test_the_built_in_org(world):
    assert [each.username for each in world.org.users] == ['integration@example.com', 'ada@example.com']
    assert world.values('SELECT Name FROM User') == ['Inte Gration', 'Ada Lovelace']
    assert world.values('SELECT Name FROM PushTopic') == ['InvoiceStatementUpdates']
    assert world.values('SELECT DeveloperName FROM RecordType') == ['Student']
    assert world.values('SELECT Name FROM StreamingChannel') == ['/u/notifications/ExampleUserChannel']
    assert world.values('SELECT Id FROM Contact') == []
    (app,) = world.org.apps.values()
    assert (app.name, app.run_as, app.public_key) == ('demo', 'integration@example.com', None)


def test_seeds_raise_no_events(make_world):
    world = make_world(records={'Contact': [{'LastName': 'Lovelace'}]})
    world.org.add({'records': {'Account': [{'Name': 'Acme'}]}})
    assert world.events == []
    assert world.values('SELECT Name FROM Contact') == ['Lovelace']
    assert world.values('SELECT Name FROM Account') == ['Acme']


def test_the_organization_has_a_name_an_id_and_a_kind(make_world):
    world = make_world(organization={'name': 'Apex', 'id': '00D000000000001', 'sandbox': True})
    assert world.org.organization_id == '00D000000000001EAA'
    assert world.values('SELECT Id FROM Organization') == ['00D000000000001EAA']
    assert (world.org.organization['Name'], world.org.organization['IsSandbox']) == ('Apex', True)
    world.org.add({'organization': {'sandbox': False}})
    assert (world.org.organization['Name'], world.org.organization['IsSandbox']) == ('Apex', False)


def test_a_user_of_a_known_name_is_changed(world):
    world.org.add(
        {'users': [{'username': 'ADA@example.com', 'password': 'new', 'active': False, 'locked': True}]}
    )
    user = world.org.users.by_username('ada@example.com')
    assert (user.id, user.password, user.active, user.locked) == (world.ada, 'new', False, True)
    assert world.values(f"SELECT IsActive FROM User WHERE Id = '{world.ada}'") == [False]
    assert len(list(world.org.users)) == 2


def test_a_user_needs_a_username_alone(world):
    world.org.add({'users': [{'username': 'bob@example.com'}]})
    user = world.org.users.by_username('bob@example.com')
    assert (user.last_name, user.email, user.first_name) == ('bob', 'bob@example.com', None)
    assert user.profile_id == world.org.users.by_id(world.ada).profile_id
    assert user.profile_id.startswith('00e')


def test_objects_and_events_are_added(world):
    world.org.add(
        {
            'objects': {
                'Box__c': {
                    'label': 'Carton',
                    'fields': {'Account__c': {'reference': 'Account'}, 'In__c': {'reference': 'Box__c'}},
                },
                'Plain__c': {'name_field': False},
                'Full__e': {'fields': {'Box__c': 'text'}},
                'Contact': {'fields': {'Level__c': 'int'}},
            }
        }
    )
    box = world.create('Box__c', Name='A')
    assert box.startswith('a01')  # a00 is the built-in one
    world.create('Box__c', In__c=box, Account__c=world.create('Account', Name='Acme'))
    assert world.org.describe('Box__c')['label'] == 'Carton'
    assert world.create('Full__e', Box__c='A').startswith('e01')
    plain = world.create('Plain__c')
    assert 'Name' not in world.org.read('Plain__c', plain)
    assert world.org.read('Contact', world.create('Contact', LastName='L', Level__c=5))['Level__c'] == 5


def test_old_records_have_new_fields(world):
    record_id = world.create('Contact', LastName='L')
    world.org.add({'objects': {'Contact': {'fields': {'Level__c': 'int', 'Old__c': 'boolean'}}}})
    assert world.org.read('Contact', record_id)['Level__c'] is None
    assert world.values('SELECT Id FROM Contact WHERE Level__c = null') == [record_id]
    world.update('Contact', record_id, Level__c=3)
    assert world.values('SELECT Old__c FROM Contact WHERE Level__c = 3') == [False]


def test_a_field_that_is_there_keeps_its_type(world):
    world.org.add({'objects': {'Contact': {'fields': {'Level__c': 'int'}}}})
    world.create('Contact', LastName='L', Level__c=3)
    again = {'level__c': {'type': 'int', 'label': 'How high'}}
    world.org.add({'objects': {'Contact': {'fields': again}}})
    assert problems(world, objects={'Contact': {'fields': {'Level__c': 'text', 'New__c': 'text'}}}) == [
        'objects.Contact.Level__c: the field is there, as int'
    ]
    assert world.values('SELECT Id FROM Contact WHERE Level__c > 2') != []


def test_an_org_is_one_organization_for_its_life(make_world):
    world = make_world(organization={'id': '00D000000000001'})
    world.org.add({'organization': {'id': '00D000000000001EAA', 'name': 'Beta'}})
    assert problems(world, organization={'id': '00D000000000002'}) == [
        'organization.id: the org is 00D000000000001EAA already'
    ]
    assert world.values('SELECT Name FROM Organization') == ['Beta']


def test_a_topic_of_the_seed_follows_the_rules_of_topics(world):
    assert problems(world, push_topics=[{'Name': 'A', 'Query': 'SELECT Id, Name FROM Contact LIMIT 1'}]) == [
        "push_topics: 'LIMIT' is not allowed"
    ]
    world.org.add({'push_topics': [{'Name': 'A', 'Query': 'SELECT Id, Name FROM Contact'}]})
    world.create('Contact', LastName='L')
    assert len(world.take('/topic/A')) == 1
    (version,) = world.values("SELECT ApiVersion FROM PushTopic WHERE Name = 'A'")
    assert version == 67.0


def test_every_problem_is_named_at_once_and_nothing_is_added(world):
    found = problems(
        world,
        organization={'id': '00X000000000001'},
        users=[{'username': 'new@example.com'}],
        apps=[
            {'name': 'a', 'consumer_key': 'k', 'run_as': 'nobody@example.com', 'approved': ['me@example.com']}
        ],
        objects={
            'Box': {},
            'Box__c': {'fields': {'Size': 'number', 'To__c': {'reference': 'Nope__c'}}},
        },
        record_types={'Nope': ['A'], 'User': ['B']},
        change_data_capture=['Nope', 'User'],
        channels={
            '/data/Sales': ['Lead'],
            '/data/Sales__chn': ['Low_Ink__e'],
            '/event/Ink__chn': ['Low_Ink__e', 'Lead'],
        },
        streaming_channels=['/u/notifications/ExampleUserChannel'],
        push_topics=[{'Name': 'x' * 26, 'Query': 'SELECT Id, Name FROM Contact'}],
        records={'Contact': [{'LastName': 'fine'}, {'LastNam': 'x'}], 'Nope': [{}], 'Low_Ink__e': [{}]},
    )
    assert [each.split(': ')[0] for each in found] == [
        'organization.id',
        'objects.Box',
        'objects.Box__c.Size',
        'objects.Box__c.To__c',
        'apps.a',
        'apps.a',
        'record_types.Nope',
        'record_types.User',
        'records.Contact',
        'records.Nope',
        'records.Low_Ink__e',
        'streaming_channels',
        'push_topics',
        'change_data_capture',
        'change_data_capture',
        'channels./data/Sales',
        'channels./data/Sales__chn',
        'channels./event/Ink__chn',
    ]
    assert "records.Contact: No such column 'LastNam' on sobject of type Contact" in found
    assert world.org.users.by_username('new@example.com') is None
    assert world.values('SELECT Id FROM Contact') == []
    with pytest.raises(OrgError):
        world.org.describe('Box__c')


def test_an_org_is_not_born_from_a_bad_seed(make_world):
    with pytest.raises(ValueError, match='there is no object Nope'):
        make_world(change_data_capture=['Nope'])


def test_planting_does_not_change_the_seed():
    assert default_seed() == default_seed()


def test_records_of_a_seed_are_made_by_its_first_user(make_world):
    world = make_world(records={'Contact': [{'LastName': 'L'}]})
    assert world.values('SELECT CreatedById FROM Contact') == [world.integration]
    assert world.values('SELECT OwnerId FROM Contact') == [world.integration]
    assert world.values('SELECT CreatedById FROM User') == [world.integration] * 2


@pytest.mark.parametrize('record_id', ['00X000000000001', '00D-', '00D000000000001AAA'])
def test_the_id_of_an_organization_is_one(world, record_id):
    assert problems(world, organization={'id': record_id}) == [
        f'organization.id: {record_id!r} is not the id of an organization'
    ]


def test_users_and_apps_are_as_the_seed_says(world):
    user = {
        'username': 'grace@example.com',
        'first_name': 'Grace',
        'last_name': 'Hopper',
        'email': 'g@navy.mil',
    }
    app = {'name': 'jwt', 'consumer_key': 'other-key', 'public_key': PEM, 'approved': ['grace@example.com']}
    world.org.add({'users': [user], 'apps': [app]})
    found = world.org.users.by_username('grace@example.com')
    assert (found.first_name, found.last_name, found.email) == ('Grace', 'Hopper', 'g@navy.mil')
    assert world.values(f"SELECT Email FROM User WHERE Id = '{found.id}'") == ['g@navy.mil']
    jwt = world.org.apps['other-key']
    assert (jwt.run_as, jwt.public_key, jwt.approved) == (None, PEM, ('grace@example.com',))


def test_references_are_spelled_like_their_objects(world):
    assert problems(world, objects={'Box__c': {'fields': {'A__c': {'reference': 'account'}}}}) == [
        'objects.Box__c.A__c: there is no object account'
    ]
