"""The SOAP `login()` call: an envelope out, names and texts in. Floor 3: pure.

Elements are found by their local names, since prefixes and namespaces differ between endpoints.
"""

from dataclasses import dataclass, field
from html import escape
from xml.etree import ElementTree

__all__ = ['LoginAnswer', 'SoapFault', 'envelope', 'parse', 'soap_version']

# The last version that has login(), whatever version REST and CometD speak.
_LAST = 64


def soap_version(api_version: str) -> str:
    """The version for a login: 'NN.0'."""
    return f'{min(int(float(api_version)), _LAST)}.0'


def envelope(username: str, password: str) -> bytes:
    """The request body.

    Args:
        password: with the security token appended.
    """
    return (
        '<?xml version="1.0" encoding="utf-8"?>'
        '<env:Envelope xmlns:env="http://schemas.xmlsoap.org/soap/envelope/"'
        ' xmlns:urn="urn:partner.soap.sforce.com">'
        '<env:Body><urn:login>'
        f'<urn:username>{escape(username, quote=False)}</urn:username>'
        f'<urn:password>{escape(password, quote=False)}</urn:password>'
        '</urn:login></env:Body></env:Envelope>'
    ).encode()


@dataclass(frozen=True, slots=True)
class LoginAnswer:
    """A login that was granted."""

    session_id: str = field(repr=False)
    server_url: str
    organization_id: str
    user_id: str
    password_expired: bool


@dataclass(frozen=True, slots=True)
class SoapFault:
    """One that was not."""

    code: str
    text: str


def parse(body: bytes) -> LoginAnswer | SoapFault | None:
    """Read an answer; None: it is neither."""
    try:
        # Whatever the answer says about its encoding: in another one a DOCTYPE looks otherwise.
        text = body.decode('utf-8-sig')
        if '<!DOCTYPE' in text:
            # SOAP has none, and entities are for attacks.
            return None
        root = ElementTree.fromstring(text)
    except (ElementTree.ParseError, ValueError):
        return None
    texts: dict[str, str] = {}
    for element in root.iter():
        texts.setdefault(str(element.tag).rpartition('}')[2], (element.text or '').strip())
    if 'Fault' in texts:
        code = texts.get('exceptionCode') or texts.get('faultcode', '').rpartition(':')[2]
        text = texts.get('exceptionMessage') or texts.get('faultstring', '').removeprefix(f'{code}: ')
        return SoapFault(code, text)
    try:
        return LoginAnswer(
            session_id=texts['sessionId'],
            server_url=texts['serverUrl'],
            organization_id=texts['organizationId'],
            user_id=texts['userId'],
            password_expired=texts.get('passwordExpired') == 'true',
        )
    except KeyError:
        return None
