"""The ways to log in: one function for each, from credentials to a token. Floor 3.

Every outcome but a token is `LoginRefused` or `LoginFailed`, whatever the network, Salesforce or a
function of the user does. Never retries, never waits longer than REQUEST_TIMEOUT, never logs; no
text holds a secret.
"""

import json
import re
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

import eventlet

from nameko_salesforce.assertion import assertion, private_key
from nameko_salesforce.bayeux.errors import LocalError
from nameko_salesforce.bayeux.failures import Failure, FailureKind
from nameko_salesforce.bayeux.route import Route
from nameko_salesforce.config import SalesforceSettings
from nameko_salesforce.credentials import (
    ClientCredentials,
    JwtBearer,
    OwnToken,
    PasswordLogin,
    ProvidedToken,
    SoapLogin,
    Token,
)
from nameko_salesforce.errors import LoginError, LoginFailed, LoginRefused
from nameko_salesforce.ids import full_id
from nameko_salesforce.refusals import judge
from nameko_salesforce.soap import LoginAnswer, SoapFault, envelope, parse, soap_version
from nameko_salesforce.web import Answer, exchange

__all__ = ['log_in']

_TOKEN = re.compile(r'[\x21-\x7e]+')
_JWT_GRANT = 'urn:ietf:params:oauth:grant-type:jwt-bearer'


def log_in(settings: SalesforceSettings, *, wall: Callable[[], float] = time.time) -> Token:
    """Log in once.

    Args:
        wall: gives seconds since the epoch, for signed statements.
    Raises:
        LoginRefused, LoginFailed. Timeouts of others and GreenletExit pass, and leave nothing open.
    """
    match settings.credentials:
        case SoapLogin() as soap:
            return _soap(settings, soap)
        case PasswordLogin() as password:
            return _password(settings, password)
        case ClientCredentials() as client:
            return _client_credentials(settings, client)
        case JwtBearer() as bearer:
            return _jwt_bearer(settings, bearer, wall())
        case OwnToken() as own:
            return _own_token(settings, own.access_token, own.instance_url)
        case ProvidedToken() as provided:
            return _own_token(settings, *_provided(settings, provided))


# --- the flows ---------------------------------------------------------------------------------------


def _soap(settings: SalesforceSettings, login: SoapLogin) -> Token:
    answer = _ask(
        settings,
        f'{settings.login_url}/services/Soap/u/{soap_version(settings.api_version)}',
        {'Content-Type': 'text/xml; charset=utf-8', 'SOAPAction': 'login'},
        envelope(login.username, login.password + login.security_token),
    )
    match parse(answer.body):
        case SoapFault(code, text) if code:
            raise _refusal(settings, answer, code, text)
        case LoginAnswer() as granted if answer.status == 200:
            if granted.password_expired:
                # Salesforce gives a session all the same, which is good for nothing.
                raise _refusal(settings, answer, 'PASSWORD_EXPIRED', 'the password has expired')
            instance = granted.server_url.replace('-api.salesforce.com', '.salesforce.com', 1)
            return _token(settings, granted.session_id, instance, (granted.organization_id, granted.user_id))
    raise _useless(settings, answer, None, 'neither a session nor a fault of SOAP')


def _password(settings: SalesforceSettings, login: PasswordLogin) -> Token:
    return _oauth(
        settings,
        {
            'grant_type': 'password',
            'client_id': login.consumer_key,
            'client_secret': login.consumer_secret,
            'username': login.username,
            'password': login.password + login.security_token,
        },
    )


def _client_credentials(settings: SalesforceSettings, client: ClientCredentials) -> Token:
    return _oauth(
        settings,
        {
            'grant_type': 'client_credentials',
            'client_id': client.consumer_key,
            'client_secret': client.consumer_secret,
        },
    )


def _jwt_bearer(settings: SalesforceSettings, bearer: JwtBearer, now: float) -> Token:
    key = 'PRIVATE_KEY' if bearer.private_key_file is None else 'PRIVATE_KEY_FILE'
    try:
        if bearer.private_key_file is None:
            pem = bearer.private_key or ''
        else:
            pem = Path(bearer.private_key_file).read_text(encoding='ascii', errors='replace')
        statement = assertion(
            private_key(pem),
            consumer_key=bearer.consumer_key,
            username=bearer.username,
            audience=f'https://{"test" if settings.sandbox else "login"}.salesforce.com',
            now=now,
        )
    except OSError as error:
        raise LoginRefused(key, f'cannot be read: {error.strerror}') from None
    except ValueError as expected:
        raise LoginRefused(key, f'has to be {expected}') from None
    return _oauth(settings, {'grant_type': _JWT_GRANT, 'assertion': statement}, statement)


def _oauth(settings: SalesforceSettings, form: Mapping[str, str], *secrets: str) -> Token:
    answer = _ask(
        settings,
        f'{settings.login_url}/services/oauth2/token',
        {'Content-Type': 'application/x-www-form-urlencoded', 'Accept': 'application/json'},
        urlencode(form).encode(),
    )
    content = _json(answer.body)
    match content:
        case {'error': str(code), **others}:
            raise _refusal(settings, answer, code, _text(others.get('error_description')), *secrets)
        case {'access_token': str(token), 'instance_url': str(instance), 'id': str(identity)} if (
            answer.status == 200
        ):
            return _token(settings, token, instance, _ids(identity))
    raise _useless(settings, answer, content, 'neither a token nor an error of OAuth', *secrets)


def _own_token(settings: SalesforceSettings, token: str, instance: str) -> Token:
    """Check the token and learn whose it is.

    Args:
        instance: LOGIN_URL already, where that is given.
    """
    answer = _ask(
        settings,
        f'{instance}/services/data/v{settings.api_version}/',
        {'Authorization': f'Bearer {token}', 'Accept': 'application/json'},
        None,
    )
    content = _json(answer.body)
    match content:
        case [{'errorCode': str(code), **others}, *_]:
            raise _refusal(settings, answer, code, _text(others.get('message')), token)
        case {'identity': str(identity)} if answer.status == 200:
            return _token(settings, token, instance, _ids(identity))
    if answer.status == 410:
        raise _refusal(settings, answer, 'GONE', f'API version {settings.api_version}')
    raise _useless(settings, answer, content, 'no list of REST resources', token)


def _provided(settings: SalesforceSettings, provided: ProvidedToken) -> tuple[str, str]:
    """Call the user's function; what it gives, the address as an origin."""
    timer = eventlet.Timeout(settings.request_timeout)
    try:
        token, instance = provided.provide()
        if not isinstance(token, str) or not token:
            raise TypeError('no token')
        return token, settings.instance_url or _origin(instance)
    except eventlet.Timeout as error:
        if error is not timer:
            raise
        said, kind = f'did not return within {settings.request_timeout:g} s', FailureKind.TIMEOUT
    except LoginRefused:
        raise
    except Exception as error:
        # Not its text: it may hold what the function works with.
        said, kind = f'gave no token and instance URL ({type(error).__name__})', FailureKind.REQUEST
    finally:
        timer.cancel()
    raise LoginFailed(Failure(kind, f'TOKEN_PROVIDER {provided.path} {said}'))


# --- answers -----------------------------------------------------------------------------------------


def _ask(settings: SalesforceSettings, url: str, headers: Mapping[str, str], body: bytes | None) -> Answer:
    answer = exchange(
        url, headers=headers, body=body, options=settings.transport, timeout=settings.request_timeout
    )
    if isinstance(answer, Failure):
        raise LoginFailed(answer)
    return answer


def _refusal(settings: SalesforceSettings, answer: Answer, code: str, text: str, *secrets: str) -> LoginError:
    credentials = settings.credentials
    return judge(
        code,
        text,
        flow=credentials.flow,
        secrets=(*credentials.secrets, *secrets),
        failure=answer.as_failure(),
    )


def _useless(
    settings: SalesforceSettings, answer: Answer, content: Any, what: str, *secrets: str
) -> LoginFailed:
    if answer.status != 200:
        return LoginFailed(answer.as_failure((*settings.credentials.secrets, *secrets)))
    if not answer.body:
        return LoginFailed(Failure(FailureKind.EMPTY, what))
    return LoginFailed(Failure(FailureKind.NOT_JSON if content is _NO_JSON else FailureKind.NO_REPLY, what))


_NO_JSON = object()


def _json(body: bytes) -> Any:
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return _NO_JSON


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ''


def _ids(identity: str) -> tuple[str, str]:
    """Organization and user of an identity URL, '.../id/00D.../005...'."""
    try:
        parts = urlsplit(identity).path.split('/')
    except ValueError:
        # "http://[": no URL at all.
        return '', ''
    return (parts[-2], parts[-1]) if len(parts) >= 3 else ('', '')


def _token(settings: SalesforceSettings, token: str, instance: str, ids: tuple[str, str]) -> Token:
    try:
        organization_id, user_id = map(full_id, ids)
        own = isinstance(settings.credentials, OwnToken | ProvidedToken)
        origin = settings.instance_url or _origin(instance, ('http', 'https') if own else ('https',))
    except ValueError:
        raise LoginFailed(Failure(FailureKind.NO_REPLY, 'ids or address of no use')) from None
    if not _TOKEN.fullmatch(token):
        # requests would name it in the text of its error.
        raise LoginFailed(Failure(FailureKind.NO_REPLY, 'a token that no header can hold'))
    return Token(token, origin, organization_id, user_id)


def _origin(url: str, schemes: tuple[str, ...] = ('http', 'https')) -> str:
    """'https://host' of a URL. Raises ValueError: there is none."""
    try:
        Route(url)
    except LocalError:
        raise ValueError('no address') from None
    parts = urlsplit(url)
    if parts.scheme not in schemes:
        # A token must not go over an open line because an answer says so.
        raise ValueError('no address')
    return f'{parts.scheme}://{parts.netloc}'
