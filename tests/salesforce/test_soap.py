"""SOAP out and in."""

from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nameko_salesforce.soap import LoginAnswer, SoapFault, envelope, parse, soap_version

GRANTED = """<?xml version="1.0" encoding="UTF-8"?><soapenv:Envelope
 xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/" xmlns="urn:partner.soap.sforce.com"
 xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"><soapenv:Body><loginResponse><result>
<metadataServerUrl>https://acme.my.salesforce.com/services/Soap/m/42.0/00D</metadataServerUrl>
<passwordExpired>false</passwordExpired><sandbox>false</sandbox>
<serverUrl>https://acme.my.salesforce.com/services/Soap/u/42.0/00D</serverUrl>
<sessionId>00D!A&amp;B</sessionId><userId>005000000000001</userId>
<userInfo><organizationId>00D000000000001</organizationId><roleId xsi:nil="true"/>
<userId>005000000000001</userId></userInfo></result></loginResponse></soapenv:Body></soapenv:Envelope>"""

FAULT = """<?xml version="1.0" encoding="UTF-8"?><soapenv:Envelope
 xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/" xmlns:sf="urn:fault.partner.soap.sforce.com"
 xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"><soapenv:Body><soapenv:Fault>
<faultcode>sf:INVALID_LOGIN</faultcode><faultstring>INVALID_LOGIN: Invalid username.</faultstring>
<detail><sf:LoginFault xsi:type="sf:LoginFault"><sf:exceptionCode>INVALID_LOGIN</sf:exceptionCode>
<sf:exceptionMessage>Invalid username.</sf:exceptionMessage></sf:LoginFault></detail>
</soapenv:Fault></soapenv:Body></soapenv:Envelope>"""

OLD_FAULT = """<e:Envelope xmlns:e="http://schemas.xmlsoap.org/soap/envelope/"><e:Body><e:Fault>
<faultcode>INVALID_LOGIN</faultcode><faultstring>INVALID_LOGIN: Invalid username.</faultstring>
</e:Fault></e:Body></e:Envelope>"""

TEXTS = st.text(st.characters(codec='utf-8', min_codepoint=32), min_size=1)


@given(TEXTS, TEXTS)
def test_every_character_of_name_and_password_arrives(username, password):
    root = ElementTree.fromstring(envelope(username, password))
    found = {element.tag.rpartition('}')[2]: element.text for element in root.iter()}
    assert (found['username'], found['password']) == (username, password)


@pytest.mark.parametrize(
    ('api_version', 'expected'), [('41.0', '41.0'), ('64.0', '64.0'), ('65.0', '64.0'), ('67.0', '64.0')]
)
def test_no_version_is_spoken_that_has_no_login(api_version, expected):
    assert soap_version(api_version) == expected


def test_a_granted_login_is_read():
    assert parse(GRANTED.encode()) == LoginAnswer(
        session_id='00D!A&B',
        server_url='https://acme.my.salesforce.com/services/Soap/u/42.0/00D',
        organization_id='00D000000000001',
        user_id='005000000000001',
        password_expired=False,
    )


def test_prefixes_and_attributes_do_not_matter():
    other = GRANTED.replace(' xmlns="urn', ' xmlns:n="urn')
    for name in ('sessionId', 'serverUrl', 'userId', 'organizationId'):
        other = other.replace(f'<{name}>', f'<n:{name} xsi:type="x">').replace(f'</{name}>', f'</n:{name}>')
    assert parse(other.encode()) == parse(GRANTED.encode())


def test_an_expired_password_is_seen():
    expired = GRANTED.replace('<passwordExpired>false', '<passwordExpired>true')
    assert parse(expired.encode()).password_expired


@pytest.mark.parametrize('fault', [FAULT, OLD_FAULT])
def test_a_fault_is_read_in_its_new_and_its_old_form(fault):
    assert parse(fault.encode()) == SoapFault('INVALID_LOGIN', 'Invalid username.')


@pytest.mark.parametrize(
    'body',
    [
        b'',
        b'\x00\xff',
        b'{"error": "x"}',
        b'<html><body>busy</body></html>',
        GRANTED[:300].encode(),
        GRANTED.replace('sessionId', 'session').encode(),
        b'<?xml version="1.0" encoding="klingon"?><a/>',
        GRANTED.replace('?>', '?><!DOCTYPE a [<!ENTITY b "c">]>').replace('00D!A&amp;B', '&b;').encode(),
        GRANTED.replace('"UTF-8"?>', '"UTF-16"?><!DOCTYPE a [<!ENTITY b "c">]>')
        .replace('00D!A&amp;B', '&b;')
        .encode('utf-16'),
        b'<a>' * 100_000,
        b'<a>' * 100_000 + b'</a>' * 100_000,
        GRANTED.replace('A&amp;B', '&#xD800;').encode(),
        GRANTED.replace('A&amp;B', '\ud800').encode('utf-8', 'surrogatepass'),
    ],
)
def test_anything_else_is_neither(body):
    assert parse(body) is None


def test_a_byte_order_mark_is_none_of_the_document():
    assert parse(b'\xef\xbb\xbf' + GRANTED.encode()) == parse(GRANTED.encode())


def test_no_repr_shows_the_session():
    assert 'A&B' not in repr(parse(GRANTED.encode()))
