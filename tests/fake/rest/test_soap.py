"""SOAP login(), request and answer to the letter."""

import json
import re
from pathlib import Path
from xml.etree import ElementTree

import pytest
from fake_salesforce import soap

ADA = 'ada@example.com'
URN = 'urn:partner.soap.sforce.com'

# What simple-salesforce sends with a security token, and with an organization; and EMP-Connector.
SIMPLE = """<?xml version="1.0" encoding="utf-8" ?>
<env:Envelope xmlns:xsd="http://www.w3.org/2001/XMLSchema" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"
    xmlns:env="http://schemas.xmlsoap.org/soap/envelope/" xmlns:urn="urn:partner.soap.sforce.com">
  <env:Header><urn:CallOptions><urn:client>simple-salesforce</urn:client>
    <urn:defaultNamespace>sf</urn:defaultNamespace></urn:CallOptions></env:Header>
  <env:Body><n1:login xmlns:n1="urn:partner.soap.sforce.com">
    <n1:username>{username}</n1:username><n1:password>{password}</n1:password></n1:login></env:Body>
</env:Envelope>"""
SIMPLE_OF_AN_ORG = """<?xml version="1.0" encoding="utf-8" ?>
<soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/"
    xmlns:urn="urn:partner.soap.sforce.com">
  <soapenv:Header><urn:LoginScopeHeader><urn:organizationId>{organization}</urn:organizationId>
    </urn:LoginScopeHeader></soapenv:Header>
  <soapenv:Body><urn:login><urn:username>{username}</urn:username>
    <urn:password>{password}</urn:password></urn:login></soapenv:Body></soapenv:Envelope>"""
CONNECTOR = (
    '<soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/" '
    'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xmlns:urn="urn:partner.soap.sforce.com">'
    '<soapenv:Body><urn:login><urn:username>{username}</urn:username><urn:password>{password}</urn:password>'
    '</urn:login></soapenv:Body></soapenv:Envelope>'
)
SHAPES = [SIMPLE, SIMPLE_OF_AN_ORG, CONNECTOR]


@pytest.fixture
def world(tenant_world):
    return tenant_world


def login(
    world, text=SIMPLE, *, username=ADA, password='secrettoken', version='64.0', endpoint='u', action='login'
):
    body = text.format(username=username, password=password, organization=world.org.organization_id)
    return soap.answer(
        world.identity,
        world.org,
        endpoint=endpoint,
        version=version,
        body=body.encode(),
        action=action,
        base_url='http://127.0.0.1:8080',
        now=world.now,
    )


def element(reply, name):
    """The text of the first element of this literal name, as simple-salesforce looks for it."""
    found = re.search(f'<{name}>([^<]*)</{name}>', reply.body.decode())
    return found[1] if found else None


@pytest.mark.parametrize('shape', SHAPES)
def test_a_login_is_known_by_local_names(world, shape):
    reply = login(world, shape)
    assert reply.status == 200
    assert world.identity.user_of(f'Bearer {element(reply, "sessionId")}', world.now)


WIRE = Path(__file__).parents[2] / 'wire/logins'

# Recorded from a real org; what differs from org to org has a name.
RECORDED = json.loads((WIRE / 'soap-granted.json').read_text())['text']
FAULT = json.loads((WIRE / 'soap-refused.json').read_text())['text']


def test_a_success_is_what_was_recorded(world):
    reply = login(world, version='42.0')
    ada = world.org.users.by_username(ADA)
    assert reply.body.decode() == RECORDED.format(
        host='http://127.0.0.1:8080',
        org=world.org.organization_id,
        org15=world.org.organization_id[:15],
        session=element(reply, 'sessionId'),
        user=ada.id,
        profile=ada.profile_id,
        email=ada.email,
    )
    assert reply.headers['Content-Type'] == 'text/xml; charset=utf-8'


@pytest.mark.parametrize('shape', SHAPES)
def test_a_refusal_is_what_was_recorded(world, shape):
    reply = login(world, shape, password='wrong')
    assert (reply.status, reply.body.decode()) == (500, FAULT)


def test_the_enterprise_endpoint_has_namespaces_of_its_own(world):
    good, bad = login(world, endpoint='c'), login(world, endpoint='c', password='wrong')
    assert 'xmlns="urn:enterprise.soap.sforce.com"' in good.body.decode()
    assert '/services/Soap/c/64.0/' in element(good, 'serverUrl')
    assert 'xmlns:sf="urn:fault.enterprise.soap.sforce.com"' in bad.body.decode()


def test_values_are_escaped(world):
    world.user(password='<&>', last_name='<&>')
    reply = login(world, password='&lt;&amp;&gt;token')
    assert element(reply, 'userFullName') == 'Ada &lt;&amp;&gt;'
    ElementTree.fromstring(reply.body)


def test_an_expired_password_logs_in_and_is_told(world):
    world.user(password_expired=True)
    assert element(login(world), 'passwordExpired') == 'true'


@pytest.mark.parametrize(
    ('version', 'code'),
    [
        ('30.0', 'UNSUPPORTED_API_VERSION'),
        ('64', 'UNSUPPORTED_API_VERSION'),
        ('x', 'UNSUPPORTED_API_VERSION'),
        ('65.0', 'INVALID_OPERATION'),
        ('67.0', 'INVALID_OPERATION'),
        ('31.0', None),
        ('64.0', None),
    ],
)
def test_login_is_part_of_some_versions_only(world, version, code):
    reply = login(world, version=version)
    assert (reply.error, element(reply, 'sf:exceptionCode')) == (code, code)
    assert reply.status == (200 if code is None else 500)


@pytest.mark.parametrize(
    ('settings', 'user', 'code'),
    [
        ({'soap_login': False}, {}, 'INVALID_OPERATION'),
        ({}, {'api_login': False}, 'INSUFFICIENT_ACCESS'),
        ({}, {'active': False}, 'INVALID_LOGIN'),
        ({}, {'locked': True}, 'INVALID_LOGIN'),
        ({'logins_per_hour': 0}, {}, 'LOGIN_RATE_EXCEEDED'),
    ],
)
def test_other_refusals_have_codes_of_their_own(world, settings, user, code):
    world.configure(**settings)
    world.user(**user)
    reply = login(world)
    assert (reply.status, element(reply, 'sf:exceptionCode')) == (500, code)


def test_a_missing_security_token_is_told(world):
    assert element(login(world, password='secret'), 'sf:exceptionCode') == 'LOGIN_MUST_USE_SECURITY_TOKEN'


def test_another_org_is_refused(world):
    reply = login(world, SIMPLE_OF_AN_ORG.replace('{organization}', '00D000000000000AAA'))
    assert reply.error == 'INVALID_LOGIN'


BODY = '<e:Envelope xmlns:e="http://schemas.xmlsoap.org/soap/envelope/"><e:Body>{}</e:Body></e:Envelope>'


@pytest.mark.parametrize(
    ('text', 'problem'),
    [
        ('no XML', 'Error parsing XML'),
        ('', 'Error parsing XML'),
        ('<!DOCTYPE x><x/>', 'DTDs are not allowed'),
        ('<x/>', 'expected an Envelope'),
        (BODY.format(''), 'expected an Envelope'),
        (BODY.format('<logout xmlns="urn:x"/>'), 'No operation available for request {{urn:x}}logout'),
        (BODY.format('<login/>'), 'login takes username and password'),
        (BODY.format('<login><username>a</username><password>b</password><x/></login>'), 'login takes'),
    ],
)
def test_what_is_no_login_is_a_fault_of_the_client(world, text, problem):
    reply = login(world, text.replace('{', '{{').replace('}', '}}'))
    assert reply.status == 500
    assert element(reply, 'faultcode') == 'soapenv:Client'
    assert problem.replace('{{', '{').replace('}}', '}') in element(reply, 'faultstring')


def test_the_header_soap_action_has_to_be_there_whatever_it_says(world):
    assert login(world, action="''").status == 200
    reply = login(world, action=None)
    assert element(reply, 'faultstring') == 'SOAPAction HTTP header missing'


def test_a_request_shows_no_password(world):
    request = soap.read_request(CONNECTOR.format(username=ADA, password='hush').encode())
    assert (request.password, 'hush' in repr(request), ADA in repr(request)) == ('hush', False, True)
