"""The account of a service at Salesforce: its settings and its token. Floor 3.

A part of other extensions, one for each container: streaming and REST share settings and token, and
so one login. Decides nothing about streams or calls; opens nothing until somebody asks for a token.
"""

import logging
import random
import time
from functools import partial

import eventlet.patcher
import requests
from eventlet.semaphore import Semaphore
from nameko.exceptions import ConfigurationError
from nameko.extensions import SharedExtension

from nameko_salesforce.bayeux.section import configuration_of
from nameko_salesforce.config import LASTING_API_VERSION, SalesforceSettings, read_settings
from nameko_salesforce.constants import DEFAULT_API_VERSION
from nameko_salesforce.credentials import PasswordLogin, SoapLogin
from nameko_salesforce.login import log_in
from nameko_salesforce.tokens import Tokens
from nameko_salesforce.web import new_session

__all__ = ['SalesforceAccount']

log = logging.getLogger('nameko_salesforce.account')


class SalesforceAccount(SharedExtension):  # type: ignore[misc]  # Nameko is untyped
    """Settings and token, made by `ready`, which whoever needs them calls in its own `setup`.

    Not by a `setup` of this extension: Nameko sets it up also where a test has taken away all that needs
    it (`replace_dependencies`, `restrict_entrypoints`), and such a test has no section SALESFORCE.
    Has no thread, timer or connection of its own, hence nothing to stop or to kill.

    Attributes:
        settings, tokens: exist after `ready`. Not properties: Nameko evaluates those when it binds.
    """

    settings: SalesforceSettings
    tokens: Tokens
    _problem: ConfigurationError | None = None

    def __init__(self) -> None:
        self._turn = Semaphore(1)

    def ready(self) -> 'SalesforceAccount':
        """Read the configuration once, and connect nothing. Any number of times, from any green thread.

        Raises:
            ConfigurationError: names all that is wrong, each time; the log has it once.
        """
        # TOKEN_PROVIDER imports a module of the user, which may switch.
        with self._turn:
            if self._problem is not None:
                raise self._problem
            if not hasattr(self, 'tokens'):
                self._prepare()
        return self

    def make_session(self) -> requests.Session:
        """A session of the caller's own, with the proxy and certificates of the settings. Opens nothing."""
        return new_session(self.settings.transport)

    def _prepare(self) -> None:
        name = self.container.service_name
        try:
            if not eventlet.patcher.is_monkey_patched('socket'):
                raise ConfigurationError(
                    'The process is not monkey-patched, so that one REST call would hold up all else. '
                    '`nameko run` and `nameko test` patch it; elsewhere call eventlet.monkey_patch() first'
                )
            settings = read_settings(configuration_of(self.container))
        except ConfigurationError as problem:
            # `nameko run` of 2.14 ends with status 0 and one line on standard error.
            log.critical('%s cannot start. %s', name, problem)
            self._problem = problem
            raise
        if isinstance(settings.credentials, SoapLogin | PasswordLogin):
            log.warning(
                '%s logs in by %s, which Salesforce phases out: client credentials and JWT bearer stay',
                name,
                settings.credentials.flow,
            )
        if float(settings.api_version) < LASTING_API_VERSION:
            log.warning(
                '%s uses API version %s, which Salesforce ends in 2028: %s is the default',
                name,
                settings.api_version,
                DEFAULT_API_VERSION,
            )
        self.settings = settings
        self.tokens = Tokens(
            partial(log_in, settings),
            clock=time.monotonic,
            draw=random.random,
            logins_per_hour=settings.logins_per_hour,
        )
