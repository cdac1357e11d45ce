"""What the profile for Salesforce asks the org: who comes, and which channels there are. Pure."""

from typing import Protocol

__all__ = ['OpenRules', 'Rules']


class Rules(Protocol):
    """What the org knows: its users and its channels."""

    def user_of(self, authorization: str | None, now: float) -> object:
        """The user id, a text, behind `Bearer TOKEN` or `OAuth TOKEN`; anything else: nobody."""

    def topic_problem(self, channel: str, fields: tuple[str, ...]) -> str | None:
        """Why a channel (without its filter) cannot be subscribed to with a filter on these fields."""


class OpenRules:
    """Everybody with a token is the same user; every channel exists."""

    def user_of(self, authorization: str | None, now: float) -> object:
        scheme, _, token = (authorization or '').partition(' ')
        return '005000000000001AAA' if scheme in ('Bearer', 'OAuth') and token.strip() else None

    def topic_problem(self, channel: str, fields: tuple[str, ...]) -> str | None:
        return None
