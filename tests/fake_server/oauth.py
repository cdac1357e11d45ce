"""The OAuth 2.0 token endpoint: four flows, in Salesforce's words. Pure.

Source: Salesforce help, "OAuth Authorization Flows" and "OAuth 2.0 Authorization Errors"; recorded answers;
what is inferred says so.
"""

import base64
import hashlib
import hmac
from collections.abc import Callable, Mapping
from typing import Any

import jwt

from .identity import Identity, LoginRefused, Refusal, Session
from .org import Org
from .replies import Reply, json_reply

__all__ = ['FLOWS', 'answer', 'flow_of', 'refuse']

JWT_BEARER = 'urn:ietf:params:oauth:grant-type:jwt-bearer'
FLOWS = {
    'password': 'password',
    'refresh_token': 'refresh',
    JWT_BEARER: 'jwt',
    'client_credentials': 'client_credentials',
}
'`grant_type` -> name of the flow, as the journal has it.'

AUDIENCES = ('https://login.salesforce.com', 'https://test.salesforce.com')
# The documentation says three minutes; two more for clocks that differ.
LONGEST_ASSERTION_S = 300

# Hosts that serve every org: no client credentials there, since they do not say which org is meant.
SHARED_HOSTS = ('login.salesforce.com', 'test.salesforce.com')

_FAILURE = ('invalid_grant', 'authentication failure')
_ERRORS = {
    Refusal.CREDENTIALS: _FAILURE,
    Refusal.TOKEN_MISSING: _FAILURE,
    Refusal.FLOW_OFF: _FAILURE,
    Refusal.REFRESH_TOKEN: ('invalid_grant', 'expired access/refresh token'),
    Refusal.NOT_APPROVED: ('invalid_grant', "user hasn't approved this consumer"),
    Refusal.UNKNOWN_APP: ('invalid_client_id', 'client identifier invalid'),
    Refusal.INACTIVE: ('invalid_grant', 'inactive user'),
    Refusal.APP_SECRET: ('invalid_client', 'invalid client credentials'),
    # Inferred: documented codes, texts of our own.
    Refusal.RATE: ('rate_limit_exceeded', 'login rate exceeded'),
    Refusal.NO_RUN_AS: ('invalid_grant', 'no client credentials user enabled'),
}


class _Refused(Exception):
    """An error of the request itself."""

    def __init__(self, error: str, description: str) -> None:
        super().__init__(error)
        self.error = error
        self.description = description


def flow_of(form: Mapping[str, str]) -> str:
    """Name of the flow that a form asks for; `unknown` if none."""
    return FLOWS.get(form.get('grant_type', ''), 'unknown')


def answer(
    identity: Identity,
    org: Org,
    *,
    form: Mapping[str, str],
    authorization: str | None,
    host: str,
    base_url: str,
    now: float,
    real_time: float,
    wall_time_ms: int,
) -> Reply:
    """The answer to a POST.

    Args:
        identity: who may come in.
        org: whose logins they are.
        form: the form fields of the body.
        authorization: the header, for client credentials.
        host: name of the host that the client meant, without a port.
        base_url: the address that the request came to, without a slash at the end.
        now: seconds on the fake's clock.
        real_time: seconds since the epoch on the clock of the world that clients live in; for assertions.
        wall_time_ms: milliseconds since the epoch on the fake's clock; for `issued_at`.
    """
    request = _Request(identity, form, authorization, host, now, real_time)
    try:
        flow = _FLOW_OF_GRANT.get(form.get('grant_type', ''))
        if flow is None:
            raise _Refused('unsupported_grant_type', 'grant type not supported')
        session, secret = flow(request)
    except _Refused as refused:
        return refuse(refused.error, refused.description)
    except LoginRefused as refused:
        return refuse(*_ERRORS[refused.refusal])
    return _token(org, session, flow_of(form), secret, base_url, wall_time_ms)


class _Request:
    """One request; each flow returns the session and the secret that signs the answer."""

    def __init__(
        self,
        identity: Identity,
        form: Mapping[str, str],
        authorization: str | None,
        host: str,
        now: float,
        real_time: float,
    ) -> None:
        self.identity = identity
        self.form = form
        self.authorization = authorization
        self.host = host
        self.now = now
        self.real_time = real_time

    def password(self) -> tuple[Session, str]:
        key, secret, username, password = self._take('client_id', 'client_secret', 'username', 'password')
        return self.identity.log_in_password(username, password, key, secret, self.now), secret

    def refresh(self) -> tuple[Session, str]:
        key, secret, token = self._take('client_id', 'client_secret', 'refresh_token')
        return self.identity.refresh(token, key, secret, self.now), secret

    def client_credentials(self) -> tuple[Session, str]:
        if self.host in SHARED_HOSTS:
            raise _Refused('invalid_grant', 'request not supported on this domain')
        if self.authorization is not None and not self.authorization.lower().startswith('bearer '):
            self._take()
            key, secret = _basic(self.authorization)
        else:
            key, secret = self._take('client_id', 'client_secret')
        return self.identity.log_in_client_credentials(key, secret, self.now), secret

    def jwt(self) -> tuple[Session, str]:
        (assertion,) = self._take('assertion')
        claims = _claims(assertion)
        app = self.identity.app(str(claims.get('iss', '')))
        if app.public_key is None:
            raise _Refused('invalid_grant', 'invalid assertion')
        try:
            jwt.decode(assertion, app.public_key, algorithms=['RS256'], options=_SIGNATURE_ONLY)
        except jwt.PyJWTError:
            raise _Refused('invalid_grant', 'invalid assertion') from None
        if claims.get('aud') not in AUDIENCES:
            raise _Refused('invalid_grant', 'Audience validation failed')
        left = _seconds(claims.get('exp')) - self.real_time
        if not 0 < left <= LONGEST_ASSERTION_S:
            raise _Refused('invalid_grant', 'expired authorization code')
        session = self.identity.log_in_jwt(app.consumer_key, str(claims.get('sub', '')), self.now)
        return session, app.consumer_secret

    def _take(self, *wanted: str) -> list[str]:
        """The values of exactly these fields."""
        missing = [name for name in wanted if not self.form.get(name)]
        if missing:
            raise _Refused('invalid_request', f'missing required parameter: {missing[0]}')
        unknown = sorted(set(self.form) - {*wanted, 'grant_type', 'format'})
        if unknown:
            raise _Refused('invalid_request', f'unexpected parameter: {unknown[0]}')
        return [self.form[name] for name in wanted]


_FLOW_OF_GRANT: dict[str, Callable[[_Request], tuple[Session, str]]] = {
    'password': _Request.password,
    'refresh_token': _Request.refresh,
    JWT_BEARER: _Request.jwt,
    'client_credentials': _Request.client_credentials,
}

# The claims are looked at here: each wrong one has an answer of its own.
_SIGNATURE_ONLY: Any = {
    'verify_exp': False,
    'verify_aud': False,
    'verify_iss': False,
    'verify_iat': False,
    'verify_nbf': False,
    'verify_sub': False,
    'verify_jti': False,
}
_NOTHING: Any = {**_SIGNATURE_ONLY, 'verify_signature': False}


def _claims(assertion: str) -> dict[str, Any]:
    try:
        claims = jwt.decode(assertion, options=_NOTHING)
    except jwt.PyJWTError:
        raise _Refused('invalid_grant', 'invalid assertion') from None
    return dict(claims)


def _seconds(value: object) -> float:
    """A time claim; libraries send numbers and texts."""
    try:
        return float(str(value))
    except ValueError:
        raise _Refused('invalid_grant', 'invalid assertion') from None


def _basic(authorization: str) -> tuple[str, str]:
    scheme, _, encoded = authorization.partition(' ')
    try:
        key, colon, secret = base64.b64decode(encoded, validate=True).decode().partition(':')
    except ValueError:  # letters that are none of base64, or bytes that are no text
        key, colon, secret = '', '', ''
    if scheme.lower() != 'basic' or not colon:
        raise _Refused('invalid_client', 'invalid client credentials')
    return key, secret


def refuse(error: str, description: str) -> Reply:
    """An error in the form of OAuth."""
    return json_reply(400, {'error': error, 'error_description': description}, error=error)


def _token(org: Org, session: Session, flow: str, secret: str, base_url: str, wall_time_ms: int) -> Reply:
    identity_url = f'{base_url}/id/{org.organization_id}/{session.user_id}'
    value: dict[str, Any] = {
        'access_token': session.access_token,
        'instance_url': base_url,
        'id': identity_url,
        'token_type': 'Bearer',
    }
    if flow != 'password':
        value['scope'] = ' '.join(session.scopes)
    if flow != 'jwt':
        issued_at = str(wall_time_ms)
        digest = hmac.new(secret.encode(), (identity_url + issued_at).encode(), hashlib.sha256).digest()
        value |= {'issued_at': issued_at, 'signature': base64.b64encode(digest).decode()}
    return json_reply(200, value, headers={'Cache-Control': 'no-cache, no-store', 'Pragma': 'no-cache'})
