"""What Salesforce means when it refuses a login, and the way out. Floor 3: pure.

Decides between a refusal, after which a new try waits for minutes, and trouble on Salesforce's side,
which passes. What is not known is a refusal: guessing wrongly the other way locks users out.
"""

import re
from collections.abc import Iterable
from html import escape
from urllib.parse import quote, quote_plus

from nameko_salesforce.bayeux.failures import Failure, FailureKind
from nameko_salesforce.credentials import SoapLogin
from nameko_salesforce.errors import LoginError, LoginFailed, LoginRefused

__all__ = ['PASSING_CODES', 'hide', 'judge']

# With which Salesforce says that it is busy, or that a limit of ours is reached for now: logins and REST.
# Source: REST API Developer Guide, "Status Codes and Error Responses"; SOAP API Developer Guide, "Core Data
# Types", ExceptionCode and StatusCode; OAuth's are in capitals here.
PASSING_CODES = frozenset(
    [
        'LOGIN_RATE_EXCEEDED',
        'QUERY_TIMEOUT',
        'RATE_LIMIT_EXCEEDED',
        'REQUEST_LIMIT_EXCEEDED',
        'REQUEST_RUNNING_TOO_LONG',
        'SERVER_ERROR',
        'SERVER_UNAVAILABLE',
        'TEMPORARILY_UNAVAILABLE',
        'UNABLE_TO_LOCK_ROW',
        'UNKNOWN_ERROR',
        'UNKNOWN_EXCEPTION',
    ]
)
_PASSING_TEXT = re.compile(
    r'(login )?rate (limit )?exceeded|try again later|too busy|retry your request', re.IGNORECASE
)

_SOAP_IS_OFF = (
    'SOAP login() is off in orgs since Winter \'26 (Setup > User Interface > "Enable SOAP API login()") '
    "and ends with Summer '27: better move to client credentials or JWT bearer"
)
_PASSWORD_FLOW_IS_OFF = (
    "orgs since Summer '23 block the username-password flow (Setup > OAuth and OpenID Connect Settings): "
    'better move to client credentials or JWT bearer'
)

# Code, a part of the text ('' for any), flow ('' for any), way out. The first row that fits.
_WAYS_OUT = (
    (
        'INVALID_LOGIN',
        '',
        '',
        'check USERNAME, PASSWORD and SECURITY_TOKEN (a new password brings a new token), SANDBOX or DOMAIN, '
        f'and whether the user is locked or may not log in from here. {_SOAP_IS_OFF}',
    ),
    ('INSUFFICIENT_ACCESS', '', '', f'the user needs the permission "Use Any API Auth". {_SOAP_IS_OFF}'),
    ('INVALID_OPERATION', 'login()', '', _SOAP_IS_OFF),
    ('UNSUPPORTED_API_VERSION', '', '', _SOAP_IS_OFF),
    ('LOGIN_MUST_USE_SECURITY_TOKEN', '', '', 'SECURITY_TOKEN is missing, or a new password has replaced it'),
    ('PASSWORD_EXPIRED', '', '', 'set a new password, and the new SECURITY_TOKEN that comes with it'),
    ('PASSWORD_LOCKOUT', '', '', 'an administrator can unlock the user, or the lock ends by itself'),
    (
        'INVALID_SESSION_ID',
        '',
        '',
        'the token has expired or was revoked: set a new one, or a TOKEN_PROVIDER that gives new ones',
    ),
    ('GONE', '', '', 'Salesforce has retired this version: raise API_VERSION'),
    ('NOT_FOUND', '', '', 'check INSTANCE_URL, and whether this org has API_VERSION already'),
    ('invalid_grant', 'audience', '', 'set SANDBOX: true for a sandbox, and only there'),
    (
        'invalid_grant',
        "hasn't approved",
        '',
        'let an administrator pre-authorize the app for the profile or permission set of USERNAME',
    ),
    (
        'invalid_grant',
        'not supported on this domain',
        '',
        'client credentials need the My Domain of the org: as DOMAIN, or behind LOGIN_URL, which wins',
    ),
    (
        'invalid_grant',
        'no client credentials user',
        '',
        'set a "Run As" user in the client credentials flow of the app',
    ),
    ('invalid_grant', 'inactive', '', 'an administrator can activate the user'),
    (
        'invalid_grant',
        '',
        'OAuth username-password',
        'check USERNAME, PASSWORD and SECURITY_TOKEN, SANDBOX or DOMAIN, and the IP restrictions of the app; '
        f'{_PASSWORD_FLOW_IS_OFF}',
    ),
    (
        'invalid_grant',
        '',
        'JWT bearer',
        'check USERNAME, the certificate of the app against the private key, SANDBOX, and the clock',
    ),
    ('invalid_grant', '', '', 'check the app, its run-as user and its IP restrictions, and DOMAIN'),
    (
        'invalid_client_id',
        '',
        '',
        'check CONSUMER_KEY, and SANDBOX or DOMAIN; a new app needs up to ten minutes',
    ),
    ('invalid_client', '', '', 'check CONSUMER_KEY and CONSUMER_SECRET, and SANDBOX or DOMAIN'),
    ('unsupported_grant_type', '', '', 'enable the flow in the app, and in the org'),
    ('inactive_user', '', '', 'an administrator can activate the user'),
    ('invalid_app_access', '', '', 'let an administrator give the user access to the app'),
)

_UNPRINTABLE = re.compile(r'[^\x20-\x7e\xa1-\uffff]+')
# Salesforce accepts no shorter passwords; hiding a word would only make a text unreadable.
_SECRET = 8
_TEXT = 300


def hide(text: str, secrets: Iterable[str]) -> str:
    """The text in one printable line, without the secrets in any form in which they were sent."""
    forms = {
        form
        for secret in secrets
        if len(secret) >= _SECRET
        for form in (
            secret,
            escape(secret, quote=False),
            escape(secret),
            quote(secret, ''),
            quote_plus(secret),
        )
    }
    for form in sorted(forms, key=len, reverse=True):
        text = text.replace(form, '***')
    text = _UNPRINTABLE.sub(' ', text).strip()[:_TEXT]
    # Lone surrogates, for one, which no log can be written with.
    return ''.join(each if each.isprintable() else ' ' for each in text)


def judge(code: str, text: str, *, flow: str, secrets: Iterable[str], failure: Failure) -> LoginError:
    """What an answer that says no means.

    Args:
        code, text: Salesforce's.
        flow: `Credentials.flow`.
        failure: what the answer is if it is trouble that passes; its detail is replaced.
    """
    secrets = tuple(secrets)
    code, text = hide(code, secrets)[:60], hide(text, secrets)
    # A fault of SOAP has status 500, whatever it is about.
    down = failure.status is not None and failure.status >= 500 and flow != SoapLogin.flow
    if down or code.upper() in PASSING_CODES or _PASSING_TEXT.search(text):
        return LoginFailed(
            Failure(FailureKind.STATUS, f'{code}: {text}', failure.status, failure.retry_after)
        )
    said = text.lower().replace('\N{RIGHT SINGLE QUOTATION MARK}', "'")
    for of_code, part, of_flow, way_out in _WAYS_OUT:
        if code.lower() == of_code.lower() and part in said and of_flow in ('', flow):
            return LoginRefused(code, f'{text or "no reason given"} ({way_out})')
    return LoginRefused(code, text or 'no reason given')
