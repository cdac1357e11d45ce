"""One org with everything that clients meet of it besides streaming, and the rules that streaming asks. Pure.

    tenant = Tenant(seed, random=Random(1), epoch=epoch, publish=publish, settings=lambda: SALESFORCE)
    tenant.api.answer(request, now)     # REST; also `bulk`, and `soap` and `oauth` with `identity` and `org`
    tenant.user_of(authorization, now)  # what the broker asks: `salesforce.Rules`

A reset of the server makes another one.
"""

from collections.abc import Callable, Mapping
from datetime import datetime
from random import Random
from typing import Any

from .bulk import BulkApi
from .identity import Identity
from .org import Org
from .org.moments import milliseconds, moment_after, wire_datetime
from .resources import DataApi
from .settings import SalesforceSettings

__all__ = ['Tenant']


class Tenant:
    """An org, its logins and its APIs.

    Args:
        seed: what the org is born with.
        random: for ids and tokens.
        epoch: the date and time at 0 seconds of the fake's clock.
        publish: called with channel, data and now, when an event was raised.
        settings: gives the settings of the moment.
        streaming_limits: see `resources.DataApi`.
        now: when the org is born.

    Attributes:
        org, identity, api, bulk: its parts.
    Raises:
        ValueError: everything that is wrong with the seed.
    """

    def __init__(
        self,
        seed: Mapping[str, Any],
        *,
        random: Random,
        epoch: datetime,
        publish: Callable[[str, dict[str, Any], float], None],
        settings: Callable[[], SalesforceSettings],
        streaming_limits: Callable[[], Mapping[str, tuple[int, int]]] = dict,
        now: float = 0.0,
    ) -> None:
        self._epoch = epoch
        self._publish = publish
        self.org = Org(seed, random=random, epoch=epoch, emit=self._emit, now=now)
        self.identity = Identity(self.org, random=random, settings=settings)
        self.api = DataApi(self.org, self.identity, streaming_limits=streaming_limits)
        self.bulk = BulkApi(self.org, self.identity, moment=self.wire_time)

    def user_of(self, authorization: str | None, now: float) -> object:
        """The id of the user behind an `Authorization` header; what is no text is nobody."""
        return self.identity.user_of(authorization, now)

    def topic_problem(self, channel: str, fields: tuple[str, ...]) -> str | None:
        """Why a channel cannot be subscribed to."""
        return self.org.topic_problem(channel, fields)

    def wire_time(self, now: float) -> str:
        """The date and time of the org, as REST writes it."""
        return wire_datetime(moment_after(self._epoch, now))

    def epoch_ms(self, now: float) -> int:
        """The date and time of the org in milliseconds since 1970."""
        return milliseconds(moment_after(self._epoch, now))

    def _emit(self, channel: str, data: dict[str, Any], now: float) -> None:
        # Salesforce sends no PushTopic notifications for changes by Bulk API.
        if not (channel.startswith('/topic/') and self.bulk.at_work):
            self._publish(channel, data, now)
