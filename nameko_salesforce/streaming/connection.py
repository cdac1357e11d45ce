"""The one connection of a service to the Streaming API. Floor 4.

Makes a Bayeux client for Salesforce: with its token, its policy, its PushTopics. Decides what two
decorators of one service may not contradict each other in, and when `FAIL_FAST` ends the service; how a
client lives in a service is `bayeux/connection.py`.
"""

import logging
from typing import TYPE_CHECKING, Any

from nameko.exceptions import ConfigurationError

from nameko_salesforce.account import SalesforceAccount
from nameko_salesforce.bayeux.channels import without_filter
from nameko_salesforce.bayeux.client import Client
from nameko_salesforce.bayeux.connection import StreamConnection
from nameko_salesforce.bayeux.dispatch import Notice
from nameko_salesforce.bayeux.effects import ChannelChanged, StateChanged
from nameko_salesforce.bayeux.messages import Delivery
from nameko_salesforce.bayeux.transitions import ChannelState, State
from nameko_salesforce.constants import CLIENT_ID_CONTEXT_KEY, REPLAY_ID_CONTEXT_KEY
from nameko_salesforce.declarations import Declarations
from nameko_salesforce.errors import StreamRefused
from nameko_salesforce.events import replay_id_of
from nameko_salesforce.push_topics import collect, unheard_names
from nameko_salesforce.rest import RestClient, rest_client
from nameko_salesforce.streaming.policy import SalesforcePolicy, is_final
from nameko_salesforce.streaming.preparation import SalesforcePreparation

if TYPE_CHECKING:
    from nameko_salesforce.streaming.entrypoints import SalesforceEntrypoint

__all__ = ['SalesforceConnection']

log = logging.getLogger('nameko_salesforce')

POLICY = SalesforcePolicy()


class SalesforceConnection(StreamConnection):
    """One session and one subscription per channel for all decorators of a service.

    Attributes:
        account: gives settings and tokens; the same for `SalesforceAPI`.
        client: None before `start`, and for good where the service has no streaming entrypoint left.
    """

    account = SalesforceAccount()
    _rest: RestClient | None = None
    _preparation: SalesforcePreparation

    def register_provider(self, entrypoint: 'SalesforceEntrypoint') -> None:
        """Take an entrypoint that fits those that are here; the first has the configuration read.

        Raises:
            ConfigurationError: its PushTopic cannot be, it contradicts another one, or the section is wrong.
        """
        self.account.ready()
        try:
            entrypoint.topic = entrypoint.make_topic()
            for other in self._providers:
                _check_together(entrypoint, other)
        except ValueError as problem:
            log.critical('%s cannot start. %s', self.container.service_name, problem)
            raise ConfigurationError(str(problem)) from None
        if entrypoint.topic is not None and unheard_names(entrypoint.topic):
            log.warning(
                'PushTopic %s selects parts of a name, but not Name: Salesforce notices no change of them. '
                'Add Name to the query of %s()',
                entrypoint.topic.name,
                entrypoint.method_name,
            )
        super().register_provider(entrypoint)

    def start(self) -> None:
        """Begin to log in and to connect, in the background: Salesforce may be down."""
        if not self._halted and self._providers:
            if self.account.settings.replay.lasting:
                log.warning(
                    '%s: there is a store for positions, but this version keeps no positions: channels are '
                    'subscribed to from now on',
                    self.container.service_name,
                )
            self.adopt(self._make_client())
        super().start()

    def context_data(self, event: Delivery) -> dict[str, Any]:
        """The keys of 1.2; the replay id is None where an event has none."""
        assert self.client is not None
        return {
            CLIENT_ID_CONTEXT_KEY: self.client.client_id,
            REPLAY_ID_CONTEXT_KEY: replay_id_of(event.data),
        }

    def stop(self) -> None:
        super().stop()
        self._close_rest()

    def kill(self) -> None:
        super().kill()
        self._close_rest()

    def _close_rest(self) -> None:
        if self._rest is not None:
            self.end_in_order(self._rest.session.close)

    def _make_client(self) -> Client:
        settings = self.account.settings
        tokens = self.account.tokens
        rest = self._rest = rest_client(tokens, settings, self.account.make_session())
        declared = [each for each in self.declared() if each.topic is not None]
        preparation = self._preparation = SalesforcePreparation(
            tokens,
            Declarations(lambda: rest, [each.topic for each in declared]),
            {each.channel: each.topic.name for each in declared},
            settings.api_version,
            self._give_up,
        )
        return Client(
            f'{settings.login_url}/cometd/{settings.api_version}',  # until a login says where
            headers=preparation.headers,
            session=settings.session,
            transport=settings.transport,
            policy=POLICY,
            preparation=preparation,
            mailbox_limit=settings.mailbox_limit,
            observe=self._observe,
            spawn=self.spawn,
        )

    def _observe(self, notice: Notice) -> None:
        match notice:
            case ChannelChanged(channel=channel, state=ChannelState.REFUSED, reason=why):
                if is_final(why) and not self._preparation.mends(channel, why):
                    self._give_up(StreamRefused(channel, why))
            case StateChanged(new=State.HALTED, why=why) | StateChanged(why=why, for_good=True):
                # Halted: the server speaks another version of Bayeux.
                self._give_up(StreamRefused('the connection', why))

    def _give_up(self, error: Exception) -> None:
        """What does not change by itself ends the service, if that is what its owner prefers."""
        if self.account.settings.fail_fast and not self._halted:
            log.critical('%s ends, because FAIL_FAST is set: %s', self.container.service_name, error)
            self.fail(error)


def _check_together(one: 'SalesforceEntrypoint', other: 'SalesforceEntrypoint') -> None:
    """Raise `ValueError` where two entrypoints cannot be in one service."""
    if one.channel != other.channel and without_filter(one.channel) == without_filter(other.channel):
        raise ValueError(
            f'{one.channel} of {one.method_name}() and {other.channel} of {other.method_name}(): events of a '
            'topic do not say which filter they have passed. Subscribe to it once, and choose in the handler'
        )
    collect(each.topic for each in (other, one) if each.topic is not None)
