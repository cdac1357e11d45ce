"""Whom a token belongs to: the identity URL and `userinfo`. Pure.

Source: Salesforce help, "Identity URLs" and "UserInfo Endpoint", as far as clients read them.
"""

from typing import Any

from .identity import AuthProblem, Identity
from .org import Org, User
from .replies import Reply, json_reply

__all__ = ['identity', 'userinfo']


def userinfo(logins: Identity, org: Org, authorization: str | None, *, base_url: str, now: float) -> Reply:
    """The answer of `/services/oauth2/userinfo`."""
    user = _user(logins, org, authorization, now)
    if isinstance(user, Reply):
        return user
    return json_reply(
        200,
        {
            'sub': f'{base_url}/id/{org.organization_id}/{user.id}',
            'preferred_username': user.username,
            'given_name': user.first_name,
            'family_name': user.last_name,
            'zoneinfo': 'America/Los_Angeles',
            **_common(org, user, base_url),
        },
    )


def identity(
    logins: Identity,
    org: Org,
    authorization: str | None,
    organization_id: str,
    user_id: str,
    *,
    base_url: str,
    now: float,
) -> Reply:
    """The answer of `/id/<organization>/<user>`, the `id` of an OAuth reply."""
    user = _user(logins, org, authorization, now)
    if isinstance(user, Reply):
        return user
    if organization_id[:15] != org.organization_id[:15]:
        return _forbidden('Wrong_Org')
    if user_id[:15] != user.id[:15]:
        return _forbidden('Bad_Id')
    return json_reply(
        200,
        {
            'id': f'{base_url}/id/{org.organization_id}/{user.id}',
            'asserted_user': True,
            'username': user.username,
            'display_name': user.full_name,
            'first_name': user.first_name,
            'last_name': user.last_name,
            'timezone': 'America/Los_Angeles',
            **_common(org, user, base_url),
        },
    )


def _common(org: Org, user: User, base_url: str) -> dict[str, Any]:
    soap = {
        name: f'{base_url}/services/Soap/{kind}/{{version}}/{org.organization_id[:15]}'
        for name, kind in _SOAP
    }
    return {
        'user_id': user.id,
        'organization_id': org.organization_id,
        'name': user.full_name,
        'email': user.email,
        'email_verified': True,
        'urls': {
            **soap,
            'rest': f'{base_url}/services/data/v{{version}}/',
            'sobjects': f'{base_url}/services/data/v{{version}}/sobjects/',
            'query': f'{base_url}/services/data/v{{version}}/query/',
        },
        'active': user.active,
        'user_type': 'STANDARD',
        'language': 'en_US',
        'locale': 'en_US',
        'utcOffset': -28800000,
    }


_SOAP = (('enterprise', 'c'), ('metadata', 'm'), ('partner', 'u'))


def _user(logins: Identity, org: Org, authorization: str | None, now: float) -> User | Reply:
    session = logins.session_of(authorization, now)
    if session is AuthProblem.HEADER:
        return _forbidden('Missing_OAuth_Token')
    user = org.users.by_id(session.user_id) if not isinstance(session, AuthProblem) else None
    return user if user is not None else _forbidden('Bad_OAuth_Token')


def _forbidden(text: str) -> Reply:
    return Reply(403, text.encode(), {'Content-Type': 'text/html;charset=UTF-8'}, text)
