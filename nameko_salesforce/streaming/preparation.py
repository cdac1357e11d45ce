"""What a session with Salesforce needs before it is asked for: a token, and PushTopics that exist. Floor 4.

Turns what login and declaration raise into what the session understands. Decides nothing about pauses:
those come with the errors, and the policy obeys them.
"""

from collections.abc import Callable, Mapping
from typing import Any

from nameko_salesforce.bayeux.failures import Failure, FailureKind
from nameko_salesforce.bayeux.preparation import PreparationFailed, Prepared
from nameko_salesforce.declarations import Declarations
from nameko_salesforce.errors import (
    DeclarationError,
    LoginError,
    LoginFailed,
    LoginPostponed,
    LoginRefused,
    StreamRefused,
)
from nameko_salesforce.replay.position import ReplayId
from nameko_salesforce.streaming.policy import is_missing_channel
from nameko_salesforce.tokens import Token, Tokens

__all__ = ['SalesforcePreparation']

# (channel, the server's last refusal, id of the organization) -> the replay map of a subscription.
ReplayMap = Callable[[str, str, str], Mapping[str, ReplayId]]


class SalesforcePreparation:
    """The preparation of one service's client.

    Args:
        tokens: of the account, shared with everybody who calls Salesforce.
        declarations: of the service's PushTopics.
        topics: channel -> name of the PushTopic to declare before it is subscribed to.
        api_version: such as '67.0'.
        replay_map: see `Resumption.replay_map`.
        give_up: called with what will not change by itself: refused credentials, a refused PushTopic, a
            channel that is missing though its PushTopic was made.
    """

    def __init__(
        self,
        tokens: Tokens,
        declarations: Declarations,
        topics: Mapping[str, str],
        api_version: str,
        replay_map: ReplayMap,
        give_up: Callable[[Exception], None],
    ) -> None:
        self._tokens = tokens
        self._declarations = declarations
        self._topics = topics
        self._api_version = api_version
        self._replay_map = replay_map
        self._give_up = give_up
        self._token: Token | None = None
        # Channels that were missing, so that their PushTopic was made anew.
        self._made_anew: set[str] = set()

    def headers(self) -> dict[str, str]:
        """The session's own token: another one in the middle of a session might be another user's."""
        return {} if self._token is None else {'Authorization': f'Bearer {self._token.access_token}'}

    def prepare(self, *, login: bool) -> Prepared:
        """Have a token, another one than that of the last session where that was refused."""
        try:
            if login and self._token is not None:
                token = self._tokens.renew(self._token)
            else:
                token = self._tokens.get()
        except LoginError as error:
            failure = _failure_of(error)
            if failure.kind is FailureKind.CREDENTIALS:
                self._give_up(error)
            raise PreparationFailed(failure) from error
        self._token = token
        return Prepared(url=f'{token.instance_url}/cometd/{self._api_version}', ext={'replay': True})

    def prepare_channel(self, channel: str, *, refusal: str) -> Mapping[str, Any]:
        """Have the PushTopic of a channel as it was declared; where to begin in the channel's log."""
        name = self._topics.get(channel)
        if name is not None:
            again = is_missing_channel(refusal)
            if not again:
                self._made_anew.discard(channel)
            elif channel in self._made_anew:
                # Without a subscription in between, or there would be no refusal or another one.
                self._give_up(StreamRefused(channel, refusal))
            try:
                self._declarations.ensure(name, again=again)
            except LoginError as error:
                raise PreparationFailed(_failure_of(error)) from error
            except DeclarationError as error:
                if not error.temporary:
                    self._give_up(error)
                raise PreparationFailed(str(error)) from error
            if again:
                self._made_anew.add(channel)
        # A session has been prepared before any of its channels.
        organization = '' if self._token is None else self._token.organization_id
        return {'replay': self._replay_map(channel, refusal, organization)}

    def mends(self, channel: str, refusal: str) -> bool:
        """Whether `prepare_channel` does something about this refusal: the PushTopic was deleted."""
        return channel in self._topics and is_missing_channel(refusal)


def _failure_of(error: LoginError) -> Failure:
    if isinstance(error, LoginFailed):
        return error.failure
    # Also where somebody else made the login that was refused, and this one only waits.
    refused = isinstance(error, LoginRefused) or (isinstance(error, LoginPostponed) and error.refused)
    kind = FailureKind.CREDENTIALS if refused else FailureKind.REQUEST
    return Failure(kind, str(error), retry_after=error.retry_after)
