from dataclasses import replace

from fake_salesforce.org.users import App, User, Users

USER = User(
    id='005tp00000JXAFkAAP',
    username='Ada@example.com',
    password='pass-word',
    security_token='to-ken',
    first_name='Ada',
    last_name='Lovelace',
    email='ada@example.com',
    profile='Standard',
    profile_id='00etp000005aJaGAAU',
    active=True,
    locked=False,
    password_expired=False,
    api_login=True,
)
APP = App(
    name='demo',
    consumer_key='key',
    consumer_secret='sec-ret',
    run_as=None,
    public_key=None,
    approved=(),
    scopes=('api',),
)


def test_users_are_found_by_name_in_any_case_and_by_both_forms_of_their_id():
    users = Users()
    users.put(USER)
    assert users.by_username('ada@EXAMPLE.com') is USER
    assert users.by_id('005tp00000JXAFkAAP') is users.by_id('005tp00000JXAFk') is USER
    assert users.by_username('bob@example.com') is None
    assert users.by_id('005tp00000JXAFl') is None
    assert list(users) == [USER]


def test_a_full_name_is_made_of_what_there_is():
    assert USER.full_name == 'Ada Lovelace'
    assert replace(USER, first_name=None).full_name == 'Lovelace'


def test_secrets_are_in_no_repr():
    assert 'pass-word' not in repr(USER)
    assert 'to-ken' not in repr(USER)
    assert 'sec-ret' not in repr(APP)
