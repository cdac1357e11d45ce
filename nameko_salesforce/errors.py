"""Errors of an account that users can see. Floor 3: values only.

    AccountError
    |-- LoginError                 there is no token
    |   |-- LoginRefused           Salesforce said no: credentials, user, flow or version
    |   |-- LoginFailed            no usable answer of Salesforce or of a TOKEN_PROVIDER, and no refusal
    |   `-- LoginPostponed         no request was made: a pause lasts, or the guard stopped it
    |-- DeclarationError           a PushTopic could not be made as it is wanted
    `-- StreamRefused              a channel or the whole stream is refused, until somebody changes something

What simple-salesforce raises for REST calls is its own. Arguments hold texts and numbers, that of
`LoginFailed` a `Failure` made of them, and never a secret. `copy` and `pickle` make an equal error again;
whoever calls by Nameko's RPC gets the name and the text.
"""

from math import ceil

from nameko_salesforce.bayeux.failures import Failure

__all__ = [
    'AccountError',
    'DeclarationError',
    'LoginError',
    'LoginFailed',
    'LoginPostponed',
    'LoginRefused',
    'StreamRefused',
]


class AccountError(Exception):
    """Base of all errors of this module."""


class LoginError(AccountError):
    """There is no token.

    Attributes:
        retry_after: seconds until a login is worth another try; earlier ones make no request.
    """

    retry_after: float


class LoginRefused(LoginError):
    """Salesforce refused the credentials, the user, the flow or the version.

    Tried again only after a pause of minutes: Salesforce locks users out.

    Attributes:
        code: Salesforce's, 'INVALID_LOGIN' or 'invalid_grant'; where the cause is on our side, the key
            of the configuration.
        text: Salesforce's words, and the way out where it is known.
    """

    def __init__(self, code: str, text: str, retry_after: float = 0.0) -> None:
        super().__init__(code, text, retry_after)
        self.code = code
        self.text = text
        self.retry_after = retry_after

    def __str__(self) -> str:
        return f'login refused: {self.code}: {self.text}'


class LoginFailed(LoginError):
    """Nobody said no, but there is no token either.

    Attributes:
        failure: what went wrong.
    """

    def __init__(self, failure: Failure, retry_after: float = 0.0) -> None:
        super().__init__(failure, retry_after)
        self.failure = failure
        self.retry_after = retry_after

    def __str__(self) -> str:
        return f'login failed: {self.failure}'


class LoginPostponed(LoginError):
    """No request was made.

    Attributes:
        reason: what the pause is for; the words of the last refusal or failure.
        refused: whether it is the pause after a refusal, of a login that somebody else had asked for.
    """

    def __init__(self, reason: str, retry_after: float, refused: bool = False) -> None:
        super().__init__(reason, retry_after, refused)
        self.reason = reason
        self.retry_after = retry_after
        self.refused = refused

    def __str__(self) -> str:
        return f'no login for another {ceil(self.retry_after)} s: {self.reason}'


class DeclarationError(AccountError):
    """A PushTopic could not be made, or not be brought to what the service wants.

    Attributes:
        topic: its name.
        reason: Salesforce's words, or ours.
        temporary: whether another try can help without anybody changing anything: the network, a server
            that is busy or down. A query that Salesforce refuses stays refused.
    """

    def __init__(self, topic: str, reason: str, temporary: bool = False) -> None:
        super().__init__(topic, reason, temporary)
        self.topic = topic
        self.reason = reason
        self.temporary = temporary

    def __str__(self) -> str:
        return f'PushTopic {self.topic}: {self.reason}'


class StreamRefused(AccountError):
    """Salesforce refuses a channel, or to talk at all; raised only where `FAIL_FAST` ends the service.

    Attributes:
        what: the channel, or 'the connection'.
        reason: Salesforce's words.
    """

    def __init__(self, what: str, reason: str) -> None:
        super().__init__(what, reason)
        self.what = what
        self.reason = reason

    def __str__(self) -> str:
        return f'{self.what} is refused: {self.reason}'
