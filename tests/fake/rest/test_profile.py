"""Whom a token belongs to."""

import json

import pytest
from fake_salesforce import profile

BASE = 'http://127.0.0.1:8080'


@pytest.fixture
def world(tenant_world):
    return tenant_world


def ask(world, function, *names, header=None):
    header = f'Bearer {world.token()}' if header is None else header
    reply = function(world.identity, world.org, header, *names, base_url=BASE, now=world.now)
    return reply.status, json.loads(reply.body) if reply.status == 200 else reply.body.decode()


def test_userinfo_names_user_and_org(world):
    ada = world.org.users.by_username('ada@example.com')
    status, body = ask(world, profile.userinfo)
    assert status == 200
    assert (body['user_id'], body['organization_id']) == (ada.id, world.org.organization_id)
    assert body['sub'] == f'{BASE}/id/{world.org.organization_id}/{ada.id}'
    assert (body['preferred_username'], body['name']) == ('ada@example.com', 'Ada Lovelace')


@pytest.mark.parametrize('length', [15, 18])
def test_the_identity_url_names_the_same_with_short_and_long_ids(world, length):
    ada = world.org.users.by_username('ada@example.com')
    status, body = ask(world, profile.identity, world.org.organization_id[:length], ada.id[:length])
    assert (status, body['username'], body['display_name']) == (200, 'ada@example.com', 'Ada Lovelace')
    assert body['urls']['rest'] == f'{BASE}/services/data/v{{version}}/'
    assert body['urls']['partner'].startswith(f'{BASE}/services/Soap/u/')


@pytest.mark.parametrize(
    ('header', 'text'),
    [('', 'Missing_OAuth_Token'), ('Basic x', 'Missing_OAuth_Token'), ('Bearer 00D!x', 'Bad_OAuth_Token')],
)
def test_without_a_good_token_it_is_forbidden(world, header, text):
    assert ask(world, profile.userinfo, header=header) == (403, text)
    assert ask(world, profile.identity, 'a', 'b', header=header) == (403, text)


def test_the_identity_of_somebody_else_is_forbidden(world):
    organization = world.org.organization_id
    other = world.org.users.by_username('integration@example.com').id
    assert ask(world, profile.identity, organization, other) == (403, 'Bad_Id')
    assert ask(world, profile.identity, '00D000000000000', other) == (403, 'Wrong_Org')
