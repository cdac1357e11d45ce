"""Who may use the org: users and connected apps. Pure.

What they hold is checked elsewhere (`fake_salesforce.identity`); no secret shows in a `repr`.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

__all__ = ['App', 'User', 'Users']


@dataclass(frozen=True, slots=True, kw_only=True)
class User:
    """One user.

    Attributes:
        id: 18 characters.
        username: unique in any case.
        password, security_token: what a login needs; the token may be empty.
        first_name, last_name, email: as they are.
        profile, profile_id: name and id of the profile.
        active: whether an administrator lets them in.
        locked: whether too many failed logins keep them out.
        password_expired: whether logins succeed and requests fail.
        api_login: permission "Use Any API Auth", without which SOAP logins are refused.
    """

    id: str
    username: str
    password: str = field(repr=False)
    security_token: str = field(repr=False)
    first_name: str | None
    last_name: str
    email: str
    profile: str
    profile_id: str
    active: bool
    locked: bool
    password_expired: bool
    api_login: bool

    @property
    def full_name(self) -> str:
        """First and last name, as far as there are any."""
        return f'{self.first_name or ""} {self.last_name}'.strip()


@dataclass(frozen=True, slots=True, kw_only=True)
class App:
    """One connected app.

    Attributes:
        name: unique.
        consumer_key, consumer_secret: what logins call `client_id` and `client_secret`.
        run_as: username behind the client credentials flow; None switches that flow off.
        public_key: PEM that JWT assertions are checked with; None switches that flow off.
        approved: usernames that the app may log in by JWT.
        scopes: what its tokens are good for.
    """

    name: str
    consumer_key: str
    consumer_secret: str = field(repr=False)
    run_as: str | None
    public_key: str | None
    approved: tuple[str, ...]
    scopes: tuple[str, ...]


class Users:
    """All users of an org."""

    def __init__(self) -> None:
        self._users: dict[str, User] = {}

    def __iter__(self) -> Iterator[User]:
        return iter(self._users.values())

    def put(self, user: User) -> None:
        """Add a user, or replace the one of this name."""
        self._users[user.username.lower()] = user

    def by_username(self, username: str) -> User | None:
        """The user of this name, in any case."""
        return self._users.get(username.lower())

    def by_id(self, user_id: str) -> User | None:
        """The user with this id, in its short or its long form."""
        return next((each for each in self if each.id[:15] == user_id[:15]), None)
