"""The seam for what a session needs from outside: credentials, an address, replay positions. Floor 2."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from nameko_salesforce.bayeux.failures import Failure

__all__ = ['NoPreparation', 'Preparation', 'PreparationFailed', 'Prepared']


@dataclass(frozen=True, slots=True)
class Prepared:
    """What a session is begun with.

    Attributes:
        url: the server from now on; None = unchanged.
        ext: added to the handshake's `ext`.
    """

    url: str | None = None
    ext: Mapping[str, Any] | None = None


class PreparationFailed(Exception):
    """A preparation met an expected trouble.

    Attributes:
        failure: a text is judged by the policy like a server's error, a `Failure` like a failed exchange.
    """

    def __init__(self, failure: Failure | str) -> None:
        super().__init__(str(failure))
        self.failure = failure


class Preparation(Protocol):
    """Asked before every handshake and every subscribe, each time in a green thread of its own."""

    def prepare(self, *, login: bool) -> Prepared:
        """Have credentials ready; `login` = those in use were refused. Raises `PreparationFailed`."""

    def prepare_channel(self, channel: str, *, refusal: str) -> Mapping[str, Any] | None:
        """The `ext` of a subscribe request. Raises `PreparationFailed`.

        Args:
            refusal: the server's last refusal of this channel, '' where there was none; the same
                request sent again would be refused again.
        """


@dataclass(frozen=True, slots=True)
class NoPreparation:
    """Nothing is needed."""

    def prepare(self, *, login: bool) -> Prepared:
        return Prepared()

    def prepare_channel(self, channel: str, *, refusal: str) -> Mapping[str, Any] | None:
        return None
