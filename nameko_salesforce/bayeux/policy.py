"""What a refusal or a failure means: pure decisions. Floor 0.

A driver that knows a server better (Salesforce) puts its own policy before this one; the session
only ever sees the `Verdict`. The rules of `judge` are tried in order and the first that answers
wins: causes that are recognised first, the server's advice after them, because Salesforce says
`none` where a new login helps, and some servers send no advice at all.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from typing import Protocol

from nameko_salesforce.bayeux.advice import Advice, Reconnect
from nameko_salesforce.bayeux.failures import Failure, FailureKind
from nameko_salesforce.bayeux.messages import Reply

__all__ = ['Action', 'GenericPolicy', 'Policy', 'Step', 'Trouble', 'Verdict']


class Step(Enum):
    """What was being tried."""

    PREPARE = 'prepare'
    HANDSHAKE = 'handshake'
    CONNECT = 'connect'
    COMMAND = 'command'


class Action(Enum):
    """What to do next."""

    RETRY = 'retry'  # the same step again, with the same session where there is one
    HANDSHAKE = 'handshake'  # a new session with the same credentials
    LOGIN = 'login'  # new credentials, then a new session
    HALT = 'halt'  # stop for good, and say so
    REFUSE = 'refuse'  # only this subscription or message is at fault; the session goes on


@dataclass(frozen=True, slots=True)
class Trouble:
    """What a policy judges.

    Attributes:
        step: what was being tried.
        reply: the reply that brought it: unsuccessful, or successful with advice to stop or handshake.
        failure: the failed exchange where there was no usable reply.
        advice: the advice in force, this response's included.
        failures: attempts failed in a row, this one included; >= 1.
        server_disconnected: the server sent a `/meta/disconnect` of its own.
        durable: a wanted channel is durable: what a lost answer held comes again by replay, and only so.
    """

    step: Step
    reply: Reply | None = None
    failure: Failure | None = None
    advice: Advice = Advice()
    failures: int = 1
    server_disconnected: bool = False
    durable: bool = False

    @property
    def text(self) -> str:
        """The text to classify by: Salesforce's failure reason outranks `error`."""
        return (self.reply.failure_reason or self.reply.error) if self.reply else ''

    @property
    def reason(self) -> str:
        """What to tell people."""
        if self.failure is not None:
            return str(self.failure)
        if self.text:
            return self.text
        if self.server_disconnected:
            return 'the server ended the session'
        return f'advice: reconnect {self.advice.reconnect.value}, interval {self.advice.interval:g} s'


@dataclass(frozen=True, slots=True)
class Verdict:
    """A policy's answer.

    Attributes:
        action: what to do.
        reason: why.
        pause: seconds to wait at least before it.
        for_good: the answer will be the same until somebody changes something. Told, not acted upon.
    """

    action: Action
    reason: str
    pause: float = 0.0
    for_good: bool = False


class Policy(Protocol):
    """The seam: what a kind of server means by what it says."""

    def judge(self, trouble: Trouble) -> Verdict:
        """Decide; pure, total, never raises."""

    def is_durable(self, channel: str) -> bool:
        """Whether a lost event of the channel comes again by replay, so that a late copy can be dropped."""


# One hour: a maintenance window is announced in minutes; a year would be a dead stream.
LONGEST_RETRY_AFTER = 3600.0

# Events may ride on the answer.
EVENTFUL = (Step.CONNECT, Step.COMMAND)

# Texts are matched at their beginning or as a whole phrase, without regard to case: servers append
# details to them and change punctuation.
BAD_TOKEN = re.compile(
    r'authentication invalid|requires authentication|authenticated user id does not match', re.I
)
UNKNOWN_SESSION = re.compile(r'unknown client|session_unknown|no \S+ cookie present', re.I)
LIMIT = re.compile(r'limit exceeded|limit has been exceeded|too busy', re.I)
FAYE_MISSING_PARAMETER = re.compile(r'missing required parameter', re.I)


@dataclass(frozen=True, slots=True, kw_only=True)
class GenericPolicy:
    """The decision order for any CometD server.

    Attributes:
        connects_before_handshake: failed connects in a row after which the session is given up.
            3: with the default backoff that is after some 5 s, about when a server (CometD: 10 s)
            forgets the session anyway.
        limit_pause: seconds to wait at least when a server says that a limit is reached or that it is
            busy. 60: such limits fall by the minute or by the day, and each try counts against them.
    """

    connects_before_handshake: int = 3
    limit_pause: float = 60.0

    def is_durable(self, channel: str) -> bool:
        """No channel of a plain CometD server can be replayed."""
        return False

    def judge(self, trouble: Trouble) -> Verdict:
        """The first rule that recognises the trouble decides; the last one always does."""
        rules: tuple[Callable[[Trouble], Verdict | None], ...] = (
            self._failed_exchange,
            self._bad_token,
            self._unknown_session,
            self._limit,
            self._one_command,
            self._advice,
        )
        for rule in rules:
            verdict = rule(trouble)
            if verdict is not None:
                return verdict
        return self._try_again(trouble)

    def _failed_exchange(self, trouble: Trouble) -> Verdict | None:
        failure = trouble.failure
        if failure is None:
            return None
        asked = min(failure.retry_after, LONGEST_RETRY_AFTER)
        if failure.kind is FailureKind.STATUS and failure.status == 401:
            return Verdict(Action.LOGIN, trouble.reason, asked)
        if trouble.durable and trouble.step in EVENTFUL and failure.may_hide_events:
            # The same session would go on behind the events that the lost answer held.
            return Verdict(Action.HANDSHAKE, trouble.reason, asked)
        again = self._try_again(trouble)
        return Verdict(again.action, again.reason, max(again.pause, asked))

    def _bad_token(self, trouble: Trouble) -> Verdict | None:
        if BAD_TOKEN.search(trouble.text):
            return Verdict(Action.LOGIN, trouble.reason)
        return None

    def _unknown_session(self, trouble: Trouble) -> Verdict | None:
        text = trouble.text
        code_402 = text.startswith('402:') and not FAYE_MISSING_PARAMETER.search(text)
        if code_402 or UNKNOWN_SESSION.search(text):
            return Verdict(Action.HANDSHAKE, trouble.reason)
        return None

    def _limit(self, trouble: Trouble) -> Verdict | None:
        if not (LIMIT.search(trouble.text) or trouble.text.startswith('503:')):
            return None
        action = Action.REFUSE if trouble.step is Step.COMMAND else Action.HANDSHAKE
        return Verdict(action, trouble.reason, self.limit_pause)

    def _one_command(self, trouble: Trouble) -> Verdict | None:
        """A refused subscription or message says nothing about the session."""
        if trouble.step is Step.COMMAND and trouble.reply is not None:
            return Verdict(Action.REFUSE, trouble.reason)
        return None

    def _advice(self, trouble: Trouble) -> Verdict | None:
        if trouble.advice.reconnect is Reconnect.NONE or trouble.advice.interval < 0:
            return Verdict(Action.HALT, f'the server advised to stop: {trouble.reason}')
        if trouble.advice.reconnect is Reconnect.HANDSHAKE or trouble.server_disconnected:
            return Verdict(Action.HANDSHAKE, trouble.reason)
        return None

    def _try_again(self, trouble: Trouble) -> Verdict:
        given_up = trouble.step is Step.CONNECT and trouble.failures >= self.connects_before_handshake
        return Verdict(Action.HANDSHAKE if given_up else Action.RETRY, trouble.reason)
