"""Where servers differ from each other: what the broker asks the kind of server that it plays. Pure.

`vanilla` answers as the reference server does, `salesforce` as Salesforce does. The broker keeps what they
have in common: requests, sessions, held connects, queues, deadlines.
"""

from collections.abc import Mapping
from typing import Any, Protocol

from .answers import Answer
from .sessions import Exchange, Session

__all__ = ['Manner']


class Manner(Protocol):
    """A kind of server. Errors are texts as clients see them; None means that all is well."""

    def recognises(self, exchange: Exchange, session: Session, now: float) -> bool:
        """Whether a request with the `clientId` of this living session finds it."""

    def turn_away(self, exchange: Exchange, now: float) -> Answer | None:
        """The answer to a request none of whose messages is looked at."""

    def reply_to(self, exchange: Exchange, message: Mapping[str, Any]) -> dict[str, Any]:
        """The beginning of a reply."""

    def refusal(self, exchange: Exchange, message: dict[str, Any], now: float) -> str | None:
        """Why a message is refused before anything is done about it."""

    def refuse(self, exchange: Exchange, reply: dict[str, Any], error: str, now: float) -> None:
        """Make a reply a refusal, with what the client is advised to do."""

    def welcome(
        self,
        exchange: Exchange,
        session: Session,
        message: Mapping[str, Any],
        reply: dict[str, Any],
        now: float,
    ) -> None:
        """Finish the reply to a handshake that began this session."""

    def crowded(self) -> dict[str, Any]:
        """The advice for a connect that is not held for another one behind the same cookie."""

    def subscribe(self, session: Session, message: Mapping[str, Any], now: float) -> str | None:
        """Subscribe to what a message names."""

    def unsubscribe(self, session: Session, message: Mapping[str, Any]) -> str | None:
        """Unsubscribe from what a message names."""

    def publish(self, session: Session, message: Mapping[str, Any], now: float) -> str | None:
        """Publish what a client sent."""

    def record(self, channel: str, data: Any, now: float) -> Any:
        """The data of an event from the server's side as clients will see it.

        Raises:
            ValueError: not what events of this server look like.
        """

    def recipients(self, event: dict[str, Any], now: float) -> list[tuple[Session, dict[str, Any]]]:
        """Whom an event reaches, and in which form."""

    def dismiss(self, session: Session, now: float) -> None:
        """End a session from the server's side, leaving in its queue what its client is told."""

    def hold_is_over(self, session: Session, now: float) -> None:
        """A connect was held for as long as it may be, and is about to be answered."""

    def part(self, session: Session, reply: dict[str, Any]) -> None:
        """Finish the last connect reply of a session that has ended."""
