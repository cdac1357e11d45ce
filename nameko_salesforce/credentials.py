"""What a login starts from, one value for each way to log in, and what it gives. Floor 3: pure.

Decides nothing and does nothing; secrets appear in no `repr`.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import ClassVar

__all__ = [
    'ClientCredentials',
    'Credentials',
    'JwtBearer',
    'OwnToken',
    'PasswordLogin',
    'ProvidedToken',
    'SoapLogin',
    'Token',
]


@dataclass(frozen=True, slots=True)
class SoapLogin:
    """SOAP `login()`. Legacy: off in orgs since Winter '26, gone with Summer '27."""

    username: str
    password: str = field(repr=False)
    security_token: str = field(repr=False)

    flow: ClassVar[str] = 'SOAP login'

    @property
    def secrets(self) -> tuple[str, ...]:
        return (self.password, self.security_token)


@dataclass(frozen=True, slots=True)
class PasswordLogin:
    """OAuth 2.0 username-password. Legacy: blocked in orgs since Summer '23.

    Attributes:
        security_token: appended to the password; '' where the network is trusted.
    """

    username: str
    password: str = field(repr=False)
    consumer_key: str = field(repr=False)
    consumer_secret: str = field(repr=False)
    security_token: str = field(default='', repr=False)

    flow: ClassVar[str] = 'OAuth username-password'

    @property
    def secrets(self) -> tuple[str, ...]:
        return (self.password, self.security_token, self.consumer_key, self.consumer_secret)


@dataclass(frozen=True, slots=True)
class ClientCredentials:
    """OAuth 2.0 client credentials, as the run-as user of the app."""

    consumer_key: str = field(repr=False)
    consumer_secret: str = field(repr=False)

    flow: ClassVar[str] = 'client credentials'

    @property
    def secrets(self) -> tuple[str, ...]:
        return (self.consumer_key, self.consumer_secret)


@dataclass(frozen=True, slots=True)
class JwtBearer:
    """OAuth 2.0 JWT bearer: a signed statement instead of a secret.

    Attributes:
        private_key: RSA, PEM; or None and
        private_key_file: read at each login, so that a key can be replaced.
    """

    consumer_key: str = field(repr=False)
    username: str
    private_key: str | None = field(default=None, repr=False)
    private_key_file: str | None = None

    flow: ClassVar[str] = 'JWT bearer'

    @property
    def secrets(self) -> tuple[str, ...]:
        return (self.consumer_key, self.private_key or '')


@dataclass(frozen=True, slots=True)
class OwnToken:
    """A token that somebody else got. Cannot be renewed here."""

    access_token: str = field(repr=False)
    instance_url: str

    flow: ClassVar[str] = 'own token'

    @property
    def secrets(self) -> tuple[str, ...]:
        return (self.access_token,)


@dataclass(frozen=True, slots=True)
class ProvidedToken:
    """A function of the user that gives a token.

    Attributes:
        path: its dotted name.
        provide: gives (token, instance URL), anew at each call.
    """

    path: str
    provide: Callable[[], tuple[str, str]] = field(repr=False)

    flow: ClassVar[str] = 'own token'

    @property
    def secrets(self) -> tuple[str, ...]:
        return ()


Credentials = SoapLogin | PasswordLogin | ClientCredentials | JwtBearer | OwnToken | ProvidedToken


@dataclass(frozen=True, slots=True)
class Token:
    """A token and where it is good.

    Attributes:
        access_token: session id or OAuth token.
        instance_url: 'https://host' or 'https://host:port', no slash at the end.
        organization_id, user_id: 18 characters.
        number: of the login that gave it. Salesforce may give one token twice, and whoever holds the
            former must be told from whoever holds the latter.
    """

    access_token: str = field(repr=False)
    instance_url: str
    organization_id: str
    user_id: str
    number: int = 0
