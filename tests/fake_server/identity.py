"""Who may come in: passwords, connected apps, tokens, lock-outs, and the flows that are switched on. Pure.

    identity = Identity(org, random=Random(1))
    session = identity.log_in_password('ada@example.com', 'secrettoken', 'fake-consumer-key', 'secret', now)
    identity.user_of(f'Bearer {session.access_token}', now)         # the user's id
    identity.revoke()                                               # every token is dead from now on

It decides; `soap` and `oauth` put its decisions into Salesforce's words. `now` is seconds of the fake's
clock. No password, secret or token stands in a repr.
Source: Salesforce help, "OAuth Authorization Flows", "Login Rate Exceeded", "Set Password Policies".
"""

from collections import defaultdict
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from enum import Enum
from random import Random

from .org import App, Org, User
from .settings import SALESFORCE, SalesforceSettings
from .window import HOUR_S, Window

__all__ = ['AuthProblem', 'Identity', 'LoginRefused', 'Refusal', 'Session']

_OPAQUE = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._'
_OPAQUE_LENGTH = 96  # about what live session ids have
# Scopes that no client credentials token has, whatever the app is given.
_NEVER_WITH_CLIENT_CREDENTIALS = frozenset({'full', 'web', 'offline_access', 'refresh_token'})
# What a session from SOAP login may do: everything that its user may.
_ALL_SCOPES = ('full',)


class Refusal(Enum):
    """Why a login is refused."""

    CREDENTIALS = 'credentials'
    'Unknown user, wrong password or token, locked, or the wrong org. One reason: attackers learn nothing.'
    TOKEN_MISSING = 'token_missing'
    'The password is right, the security token is missing.'
    INACTIVE = 'inactive'
    'The user is not active.'
    RATE = 'rate'
    'Too many logins of this user in an hour.'
    FLOW_OFF = 'flow_off'
    'The org does not allow this way in.'
    NO_API_AUTH = 'no_api_auth'
    'The user lacks "Use Any API Auth".'
    UNKNOWN_APP = 'unknown_app'
    'No app has this consumer key.'
    APP_SECRET = 'app_secret'
    'The consumer secret is wrong.'
    NOT_APPROVED = 'not_approved'
    'The user has not approved the app, nor an administrator for them.'
    NO_RUN_AS = 'no_run_as'
    'The app has no user to run as.'
    REFRESH_TOKEN = 'refresh_token'
    'Unknown or revoked refresh token.'


class LoginRefused(Exception):
    """A login is refused.

    Attributes:
        refusal: why.
    """

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(refusal.value)
        self.refusal = refusal


class AuthProblem(Enum):
    """What is wrong with an `Authorization` header."""

    HEADER = 'header'
    'There is none, or it is not `Bearer TOKEN` or `OAuth TOKEN`.'
    SESSION = 'session'
    'The token is unknown, expired or revoked, or its user is not active any more.'


@dataclass(frozen=True, slots=True)
class Session:
    """An access token and what it is good for.

    Attributes:
        access_token: `<15 characters of the org's id>!<opaque>`.
        user_id: 18 characters.
        scopes: what the app was given; `full` and `api` open REST.
        expires: seconds on the fake's clock.
    """

    access_token: str = field(repr=False)
    user_id: str
    scopes: tuple[str, ...]
    expires: float

    @property
    def opens_rest(self) -> bool:
        """Whether REST accepts it."""
        return 'api' in self.scopes or 'full' in self.scopes


class Identity:
    """Users, apps and tokens of one org.

    Args:
        org: whose users and apps they are.
        random: for tokens.
        settings: gives the settings of the moment.
    """

    def __init__(
        self, org: Org, *, random: Random, settings: Callable[[], SalesforceSettings] = lambda: SALESFORCE
    ) -> None:
        self._org = org
        self._settings_now = settings
        self._random = random
        self._sessions: dict[str, Session] = {}
        self._refresh_tokens: dict[str, tuple[str, str]] = {}
        self._failures: defaultdict[str, int] = defaultdict(int)
        self._locked_until: dict[str, float] = {}
        self._logins: defaultdict[str, Window] = defaultdict(lambda: Window(HOUR_S))

    @property
    def settings(self) -> SalesforceSettings:
        """The settings of the moment."""
        return self._settings_now()

    # --- ways in ------------------------------------------------------------------------------------

    def log_in_soap(
        self, username: str, password: str, now: float, *, organization_id: str | None = None
    ) -> Session:
        """SOAP login(): the password with the security token appended. An expired password logs in as well.

        Raises:
            LoginRefused: and nothing else, as with all ways in.
        """
        if not self.settings.soap_login:
            raise LoginRefused(Refusal.FLOW_OFF)
        if organization_id is not None and organization_id[:15] != self._org.organization_id[:15]:
            raise LoginRefused(Refusal.CREDENTIALS)
        user = self._check_password(username, password, now)
        if not user.api_login:
            raise LoginRefused(Refusal.NO_API_AUTH)
        return self._open(user, _ALL_SCOPES, now)

    def log_in_password(
        self, username: str, password: str, consumer_key: str, consumer_secret: str, now: float
    ) -> Session:
        """OAuth password flow: the password with the security token appended."""
        app = self.app(consumer_key, consumer_secret)
        if not self.settings.password_flow:
            raise LoginRefused(Refusal.FLOW_OFF)
        user = self._check_password(username, password, now)
        return self._open(user, app.scopes, now)

    def log_in_client_credentials(self, consumer_key: str, consumer_secret: str, now: float) -> Session:
        """OAuth client credentials flow: the app comes in as the user that it runs as."""
        app = self.app(consumer_key, consumer_secret)
        if not self.settings.client_credentials_flow:
            raise LoginRefused(Refusal.FLOW_OFF)
        user = self._org.users.by_username(app.run_as) if app.run_as is not None else None
        if user is None:
            raise LoginRefused(Refusal.NO_RUN_AS)
        self._check_admission(user, now)
        return self._open(user, set(app.scopes) - _NEVER_WITH_CLIENT_CREDENTIALS, now)

    def log_in_jwt(self, consumer_key: str, username: str, now: float) -> Session:
        """OAuth JWT bearer flow, once the assertion has been verified with the app's public key."""
        app = self.app(consumer_key)
        user = self._org.users.by_username(username)
        if user is None or user.username not in app.approved:
            raise LoginRefused(Refusal.NOT_APPROVED)
        self._check_admission(user, now)
        return self._open(user, set(app.scopes) - {'refresh_token', 'offline_access'}, now)

    def refresh(self, refresh_token: str, consumer_key: str, consumer_secret: str, now: float) -> Session:
        """OAuth refresh flow."""
        app = self.app(consumer_key, consumer_secret)
        granted_to, username = self._refresh_tokens.get(refresh_token, ('', ''))
        user = self._org.users.by_username(username)
        if user is None or granted_to != consumer_key:
            raise LoginRefused(Refusal.REFRESH_TOKEN)
        self._check_admission(user, now)
        return self._open(user, app.scopes, now)

    def app(self, consumer_key: str, consumer_secret: str | None = None) -> App:
        """The app with this key; the secret is compared if it is given."""
        app = self._org.apps.get(consumer_key)
        if app is None:
            raise LoginRefused(Refusal.UNKNOWN_APP)
        if consumer_secret is not None and consumer_secret != app.consumer_secret:
            raise LoginRefused(Refusal.APP_SECRET)
        return app

    # --- tokens -------------------------------------------------------------------------------------

    def session_of(self, authorization: str | None, now: float) -> Session | AuthProblem:
        """What is behind an `Authorization` header; `Bearer` and `OAuth` mean the same."""
        scheme, _, token = (authorization or '').strip().partition(' ')
        if scheme.lower() not in ('bearer', 'oauth') or not token.strip():
            return AuthProblem.HEADER
        return self.session(token.strip(), now)

    def session(self, access_token: str, now: float) -> Session | AuthProblem:
        """What is behind a bare token."""
        session = self._sessions.get(access_token)
        if session is None:
            return AuthProblem.SESSION
        user = self._org.users.by_id(session.user_id)
        if now >= session.expires or user is None or not user.active:
            del self._sessions[access_token]
            return AuthProblem.SESSION
        return session

    def user_of(self, authorization: str | None, now: float) -> str | AuthProblem:
        """The id of the user behind an `Authorization` header who may use streaming; the rules are REST's."""
        found = self.session_of(authorization, now)
        if isinstance(found, AuthProblem):
            return found
        # Inferred: streaming asks for the scope `api` as well, and a new password comes first.
        if not found.opens_rest or self.password_expired(found):
            return AuthProblem.SESSION
        return found.user_id

    def password_expired(self, session: Session) -> bool:
        """Whether this session may do nothing but set a new password."""
        user = self._org.users.by_id(session.user_id)
        return user is not None and user.password_expired

    def issue_token(self, username: str, now: float) -> str:
        """An access token without a login, for tests that are about something else.

        Raises:
            ValueError: no such user.
        """
        user = self._org.users.by_username(username)
        if user is None:
            raise ValueError(f'no user {username}')
        return self._open(user, _ALL_SCOPES, now).access_token

    def grant_refresh_token(self, username: str, consumer_key: str) -> str:
        """A refresh token, as a user gets it who goes through the web flow, which is not played here.

        Raises:
            ValueError: no such user or app.
        """
        user = self._org.users.by_username(username)
        if user is None or self._org.apps.get(consumer_key) is None:
            raise ValueError(f'no user {username} or no app with this consumer key')
        token = '5Aep' + ''.join(self._random.choices(_OPAQUE, k=80))
        self._refresh_tokens[token] = (consumer_key, user.username)
        return token

    def revoke(self, username: str | None = None) -> int:
        """Kill the access tokens of a user, or all; refresh tokens live on. Returns how many.

        Raises:
            ValueError: no such user.
        """
        user = self._org.users.by_username(username) if username is not None else None
        if username is not None and user is None:
            raise ValueError(f'no user {username}')
        dead = [token for token, one in self._sessions.items() if user is None or one.user_id == user.id]
        for token in dead:
            del self._sessions[token]
        return len(dead)

    # --- small parts --------------------------------------------------------------------------------

    def _check_password(self, username: str, password: str, now: float) -> User:
        user = self._org.users.by_username(username)
        if user is None:
            raise LoginRefused(Refusal.CREDENTIALS)
        self._check_rate(user, now)
        if user.locked or now < self._locked_until.get(user.id, now):
            raise LoginRefused(Refusal.CREDENTIALS)
        bare = password == user.password
        if password != user.password + user.security_token and not (bare and self.settings.trusted_network):
            self._count_failure(user, now)
            raise LoginRefused(Refusal.TOKEN_MISSING if bare else Refusal.CREDENTIALS)
        if not user.active:
            raise LoginRefused(Refusal.INACTIVE)
        self._failures.pop(user.id, None)
        return user

    def _check_admission(self, user: User, now: float) -> None:
        """What is asked of every user. A locked one passes: no password is tried."""
        self._check_rate(user, now)
        if not user.active:
            raise LoginRefused(Refusal.INACTIVE)

    def _check_rate(self, user: User, now: float) -> None:
        logins = self._logins[user.id]
        if logins.count(now) >= self.settings.logins_per_hour:
            raise LoginRefused(Refusal.RATE)
        logins.add(now)

    def _count_failure(self, user: User, now: float) -> None:
        self._failures[user.id] += 1
        if 0 < self.settings.lockout_attempts <= self._failures[user.id]:
            self._locked_until[user.id] = now + self.settings.lockout_duration
            del self._failures[user.id]

    def _open(self, user: User, scopes: Collection[str], now: float) -> Session:
        opaque = ''.join(self._random.choices(_OPAQUE, k=_OPAQUE_LENGTH))
        token = f'{self._org.organization_id[:15]}!{opaque}'
        session = Session(token, user.id, tuple(sorted(scopes)), now + self.settings.token_lifetime)
        self._sessions[token] = session
        return session
