"""What a refusal or a failure means when Salesforce says it: pure decisions. Floor 4, without I/O.

The generic rules recognise a lost token and a lost session in Salesforce's words already. Here is
what they cannot know: how long its limits last, and that its `reconnect: none` is never the end.
Source: "Streaming API Error Codes", "Handling Streaming API Errors"; what servers were seen to send.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass

from nameko_salesforce.bayeux.failures import FailureKind
from nameko_salesforce.bayeux.policy import Action, GenericPolicy, Step, Trouble, Verdict
from nameko_salesforce.events import ChannelKind

__all__ = ['SalesforcePolicy', 'is_final', 'is_lost_position', 'is_missing_channel', 'is_temporary']

ERROR = re.compile(r'\d{3}:')
BUSY = re.compile(r'^503:|server is too busy', re.I)
# As for HTTP: what the server could not do now, or not for so many.
PASSING = re.compile(r'^(5\d\d|408|429):')
DAILY_LIMIT = re.compile(r'total events daily limit exceeded', re.I)
OTHER_LIMIT = re.compile(
    r'limit exceeded|limit has been exceeded|please try (your request )?again later', re.I
)
NO_HANDSHAKE = re.compile(r'client has not completed handshake', re.I)
# One or two spaces follow "invalid."; the id in braces may be anything.
LOST_POSITION = re.compile(r'^400::The replayId \{', re.I)
MISSING_CHANNEL = re.compile(
    r'^400::The channel you requested to subscribe to (does not|doesn.t) exist', re.I
)


def is_lost_position(refusal: str) -> bool:
    """Whether a subscription was refused for its replay id: expired, of another org, or no id at all."""
    return bool(LOST_POSITION.search(refusal))


def is_missing_channel(refusal: str) -> bool:
    """Whether a subscription was refused because there is no such channel: a PushTopic that is not there."""
    return bool(MISSING_CHANNEL.search(refusal))


def is_final(refusal: str) -> bool:
    """Whether the server refused a subscription for good, as far as it is up to the server.

    What does not look like its words (`code:args:text`) is a trouble on our side, such as a network.
    """
    return bool(ERROR.match(refusal)) and not is_temporary(refusal)


def is_temporary(refusal: str) -> bool:
    """Whether a refusal ends by itself: the server is busy or at fault, or a limit was reached."""
    return any(each.search(refusal) for each in (BUSY, PASSING, DAILY_LIMIT, OTHER_LIMIT))


@dataclass(frozen=True, slots=True, kw_only=True)
class SalesforcePolicy:
    """The decision order for Salesforce. Never `HALT`: a stream that waits for people is a silent one.

    Attributes:
        busy_pause: seconds to wait at least when the server is busy. 120: the guide says minutes, and that
            a login does not help.
        client_limit_pause: seconds to wait when there are too many clients. 300: each handshake makes
            another client, which counts until it has timed out.
        daily_limit_pause: seconds to wait when the deliveries of the day are used up. 900: the limit is a
            sliding one over 24 hours, and the events stay in the log of their channel.
        refusal_pause: seconds to wait after a refusal with `reconnect: none` that no rule recognises, such
            as a user who is not enabled for streaming. 300: somebody has to change something first.
        generic: decides the rest.
    """

    busy_pause: float = 120.0
    client_limit_pause: float = 300.0
    daily_limit_pause: float = 900.0
    refusal_pause: float = 300.0
    generic: GenericPolicy = GenericPolicy()

    def is_durable(self, channel: str) -> bool:
        """Whether Salesforce keeps events of the channel, so that they can be asked for again."""
        return ChannelKind.of(channel) is not ChannelKind.OTHER

    def judge(self, trouble: Trouble) -> Verdict:
        """The first rule that recognises the trouble decides; the generic ones come last."""
        rules: tuple[Callable[[Trouble], Verdict | None], ...] = (
            self._refused_credentials,
            self._busy,
            self._limit,
            self._not_shaken_hands,
        )
        for rule in rules:
            verdict = rule(trouble)
            if verdict is not None:
                return verdict
        verdict = self.generic.judge(trouble)
        if verdict.action is Action.HALT:
            # A user, a permission, a version: somebody has to change it.
            return Verdict(
                Action.HANDSHAKE, trouble.reason, self.refusal_pause, for_good=is_final(trouble.text)
            )
        return verdict

    def _refused_credentials(self, trouble: Trouble) -> Verdict | None:
        """The pause comes from the tokens: minutes, since Salesforce locks users out."""
        failure = trouble.failure
        if failure is not None and failure.kind is FailureKind.CREDENTIALS:
            return Verdict(Action.RETRY, trouble.reason, failure.retry_after)
        return None

    def _busy(self, trouble: Trouble) -> Verdict | None:
        """Comes beside `401::Authentication invalid`, and still no login helps."""
        return self._wait(trouble, self.busy_pause) if BUSY.search(trouble.text) else None

    def _limit(self, trouble: Trouble) -> Verdict | None:
        if DAILY_LIMIT.search(trouble.text):
            return self._wait(trouble, self.daily_limit_pause)
        if OTHER_LIMIT.search(trouble.text):
            return self._wait(trouble, self.client_limit_pause)
        return None

    def _not_shaken_hands(self, trouble: Trouble) -> Verdict | None:
        return Verdict(Action.HANDSHAKE, trouble.reason) if NO_HANDSHAKE.search(trouble.text) else None

    def _wait(self, trouble: Trouble, pause: float) -> Verdict:
        action = Action.REFUSE if trouble.step is Step.COMMAND else Action.HANDSHAKE
        return Verdict(action, trouble.reason, pause)
