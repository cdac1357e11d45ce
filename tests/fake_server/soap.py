"""SOAP login(): the request by local names, and the answers to the letter. Pure.

Clients parse these answers literally: simple-salesforce looks for elements named `sessionId` and `serverUrl`
without a prefix, and for the prefix `sf` in faults. So the text is written, not generated.
Source: SOAP API Developer Guide, "login()"; recorded answers; what is inferred says so.
"""

import re
from dataclasses import dataclass
from html import escape
from xml.etree import ElementTree

from .identity import Identity, LoginRefused, Refusal, Session
from .org import Org
from .replies import Reply

__all__ = ['LoginRequest', 'SoapProblem', 'answer', 'read_request']

OLDEST_VERSION = 31.0
NEWEST_VERSION = 64.0  # login() is not part of later versions

# The two endpoints: `/services/Soap/u/` and `/services/Soap/c/`.
NAMES = {'u': 'partner', 'c': 'enterprise'}

_INVALID_LOGIN = 'Invalid username, password, security token; or user locked out.'
_FAULTS = {
    Refusal.CREDENTIALS: ('INVALID_LOGIN', _INVALID_LOGIN),
    Refusal.TOKEN_MISSING: (
        'LOGIN_MUST_USE_SECURITY_TOKEN',
        f'{_INVALID_LOGIN} Are you at a new location? When accessing Salesforce--either via a desktop client'
        " or the API--from outside of your company's trusted networks, you must add a security token to your"
        ' password to log in.',
    ),
    # What follows is inferred, except for the codes FLOW_OFF and NO_API_AUTH.
    Refusal.INACTIVE: ('INVALID_LOGIN', _INVALID_LOGIN),
    Refusal.RATE: ('LOGIN_RATE_EXCEEDED', 'Login Rate Exceeded'),
    Refusal.FLOW_OFF: (
        'INVALID_OPERATION',
        'SOAP API login() is disabled by default in this org. Contact the org administrator to enable SOAP'
        ' API login().',
    ),
    Refusal.NO_API_AUTH: (
        'INSUFFICIENT_ACCESS',
        'The user needs the permission Use Any API Auth to log in with SOAP API login().',
    ),
}


class SoapProblem(Exception):
    """A request that never reaches the login.

    Attributes:
        code: of the fault, with its prefix if it has one.
        text: in the words of a SOAP server.
    """

    def __init__(self, code: str, text: str) -> None:
        super().__init__(f'{code}: {text}')
        self.code = code
        self.text = text


@dataclass(frozen=True, slots=True)
class LoginRequest:
    """What a login() asks for."""

    username: str
    password: str
    organization_id: str | None

    def __repr__(self) -> str:
        return f'LoginRequest(username={self.username!r})'


class _NoDoctype(ElementTree.TreeBuilder):
    def doctype(self, name: str, pubid: str | None, system: str | None) -> None:
        # SOAP 1.1, section 3; and what entities could do to us. In whatever encoding: the parser says it.
        raise SoapProblem('soapenv:Client', 'DTDs are not allowed')


def read_request(body: bytes) -> LoginRequest:
    """The login in an envelope, whatever its prefixes are.

    Raises:
        SoapProblem: not an envelope with one login().
    """
    try:
        envelope = ElementTree.fromstring(body, ElementTree.XMLParser(target=_NoDoctype()))
    except (ElementTree.ParseError, LookupError, ValueError) as problem:  # the last two: strange encodings
        raise SoapProblem('soapenv:Client', f'Error parsing XML: {problem}') from None
    parts = {_local(child): child for child in envelope}
    if _local(envelope) != 'Envelope' or 'Body' not in parts or len(parts['Body']) != 1:
        raise SoapProblem('soapenv:Client', 'expected an Envelope with one element in its Body')
    call = parts['Body'][0]
    if _local(call) != 'login':
        raise SoapProblem(
            'soapenv:Client',
            f'No operation available for request {call.tag}, please check the WSDL for the service.',
        )
    values = {_local(child): child.text or '' for child in call}
    if set(values) != {'username', 'password'}:
        raise SoapProblem('soapenv:Client', 'login takes username and password')
    header = parts.get('Header')
    scopes = [one for one in header.iter() if _local(one) == 'organizationId'] if header is not None else []
    return LoginRequest(values['username'], values['password'], scopes[0].text if scopes else None)


def answer(
    identity: Identity,
    org: Org,
    *,
    endpoint: str,
    version: str,
    body: bytes,
    action: str | None,
    base_url: str,
    now: float,
) -> Reply:
    """The answer to a POST.

    Args:
        identity: who may come in.
        org: names for the answer.
        endpoint: `u` or `c`.
        version: as the URL has it: `64.0`.
        body: of the request.
        action: the header `SOAPAction`, which has to be there, whatever it says.
        base_url: the address that the request came to, without a slash at the end.
        now: seconds.
    """
    name = NAMES[endpoint]
    if not re.fullmatch(r'\d+\.0', version) or float(version) < OLDEST_VERSION:
        text = f'Invalid Api version specified on URL {version}'
        return _login_fault(name, 'UNSUPPORTED_API_VERSION', text)
    try:
        if action is None:
            raise SoapProblem('soapenv:Client', 'SOAPAction HTTP header missing')
        request = read_request(body)
        if float(version) > NEWEST_VERSION:  # inferred: how such a call is refused is not known
            text = 'SOAP API login() is not available in API version 65.0 and later.'
            return _login_fault(name, 'INVALID_OPERATION', text)
        session = identity.log_in_soap(
            request.username, request.password, now, organization_id=request.organization_id
        )
    except SoapProblem as problem:
        return _fault(name, problem.code, problem.text, '', error=problem.code)
    except LoginRefused as refused:
        return _login_fault(name, *_FAULTS[refused.refusal])
    return _success(identity, org, session, endpoint, version, base_url)


def _local(element: ElementTree.Element) -> str:
    return element.tag.rpartition('}')[2]


_HEADERS = {
    'Content-Type': 'text/xml; charset=utf-8',
    'Cache-Control': 'no-cache,must-revalidate,max-age=0,no-store,private',
}
_PROLOG = (
    '<?xml version="1.0" encoding="UTF-8"?>'
    '<soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/"'
)
_XSI = ' xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"'


def _login_fault(name: str, code: str, text: str) -> Reply:
    detail = (
        '<detail><sf:LoginFault xsi:type="sf:LoginFault">'
        f'<sf:exceptionCode>{code}</sf:exceptionCode>'
        f'<sf:exceptionMessage>{escape(text, quote=False)}</sf:exceptionMessage>'
        '</sf:LoginFault></detail>'
    )
    return _fault(name, f'sf:{code}', f'{code}: {text}', detail, error=code)


def _fault(name: str, code: str, text: str, detail: str, *, error: str) -> Reply:
    body = (
        f'{_PROLOG} xmlns:sf="urn:fault.{name}.soap.sforce.com"{_XSI}><soapenv:Body><soapenv:Fault>'
        f'<faultcode>{code}</faultcode><faultstring>{escape(text, quote=False)}</faultstring>{detail}'
        '</soapenv:Fault></soapenv:Body></soapenv:Envelope>'
    )
    return Reply(500, body.encode(), _HEADERS, error)


def _success(
    identity: Identity, org: Org, session: Session, endpoint: str, version: str, base_url: str
) -> Reply:
    user = org.users.by_id(session.user_id)
    assert user is not None, 'a session of nobody'
    organization = org.organization_id
    # A list, not a mapping: the order is that of the WSDL, and two values are nil.
    about: list[tuple[str, str | None]] = [
        ('accessibilityMode', 'false'),
        ('chatterExternal', 'false'),
        ('currencySymbol', '$'),
        ('orgAttachmentFileSizeLimit', '26214400'),
        ('orgDefaultCurrencyIsoCode', 'USD'),
        ('orgDefaultCurrencyLocale', 'en_US'),
        ('orgDisallowHtmlAttachments', 'false'),
        ('orgHasPersonAccounts', 'false'),
        ('organizationId', organization),
        ('organizationMultiCurrency', 'false'),
        ('organizationName', str(org.organization['Name'])),
        ('profileId', user.profile_id),
        ('roleId', None),
        ('sessionSecondsValid', f'{identity.settings.token_lifetime:.0f}'),
        ('userDefaultCurrencyIsoCode', None),
        ('userEmail', user.email),
        ('userFullName', user.full_name),
        ('userId', user.id),
        ('userLanguage', 'en_US'),
        ('userLocale', 'en_US'),
        ('userName', user.username),
        ('userTimeZone', 'America/Los_Angeles'),
        ('userType', 'Standard'),
        ('userUiSkin', 'Theme3'),
    ]
    expired = 'true' if user.password_expired else 'false'
    result: list[tuple[str, str | None]] = [
        ('metadataServerUrl', f'{base_url}/services/Soap/m/{version}/{organization[:15]}'),
        ('passwordExpired', expired),
        ('sandbox', 'true' if org.organization['IsSandbox'] else 'false'),
        ('serverUrl', f'{base_url}/services/Soap/{endpoint}/{version}/{organization[:15]}'),
        ('sessionId', session.access_token),
        ('userId', user.id),
    ]
    body = (
        f'{_PROLOG} xmlns="urn:{NAMES[endpoint]}.soap.sforce.com"{_XSI}><soapenv:Body><loginResponse><result>'
        f'{_elements(result)}<userInfo>{_elements(about)}</userInfo>'
        '</result></loginResponse></soapenv:Body></soapenv:Envelope>'
    )
    return Reply(200, body.encode(), _HEADERS)


def _elements(values: list[tuple[str, str | None]]) -> str:
    return ''.join(
        f'<{name} xsi:nil="true"/>' if value is None else f'<{name}>{escape(value, quote=False)}</{name}>'
        for name, value in values
    )
