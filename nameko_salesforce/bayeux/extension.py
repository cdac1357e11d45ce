"""Nameko entrypoint for any CometD server. Floor 3.

    from nameko_salesforce.bayeux import subscribe

    class Service:
        name = 'chat'

        @subscribe('/chat/**')
        def handle(self, channel, data):
            ...

Reads the section `BAYEUX` and makes the client from it; how it lives in a service is `connection.py`.
"""

import logging

from nameko.exceptions import ConfigurationError

from nameko_salesforce.bayeux.client import Client
from nameko_salesforce.bayeux.connection import ChannelEntrypoint, StreamConnection
from nameko_salesforce.bayeux.section import configuration_of
from nameko_salesforce.bayeux.settings import BayeuxSettings, read_settings

__all__ = ['BayeuxConnection', 'Subscribe', 'subscribe']

log = logging.getLogger('nameko_salesforce.bayeux')


class BayeuxConnection(StreamConnection):
    """The one client of a service, made from the section `BAYEUX`.

    Attributes:
        client: None before `setup`.
    """

    def setup(self) -> None:
        """Read the configuration; connect nothing.

        Raises:
            ConfigurationError: names all that is wrong; the service does not start.
        """
        try:
            settings = read_settings(configuration_of(self.container))
        except ConfigurationError as problem:
            # `nameko run` of 2.14 ends with status 0 and one line on standard error.
            log.critical('%s cannot start. %s', self.container.service_name, problem)
            raise
        self.adopt(self.make_client(settings))

    def make_client(self, settings: BayeuxSettings) -> Client:
        """The client, not started. For subclasses that need another policy or preparation."""
        return Client(
            settings.server_uri,
            headers=lambda: settings.headers,
            session=settings.session,
            transport=settings.transport,
            mailbox_limit=settings.mailbox_limit,
            spawn=self.spawn,
        )


class Subscribe(ChannelEntrypoint):
    """Call a method for each event of a channel: `method(channel, data)`.

    Args:
        channel: '/a/b', '/a/*' (one more segment) or '/a/**' (one or more). The method gets the
            concrete channel of the event.
        **kwargs: of every Nameko entrypoint: `expected_exceptions`, `sensitive_arguments`.
    Raises:
        LocalError: no server could accept the name. TypeError: an option that Nameko does not know.
    """

    connection = BayeuxConnection()


subscribe = Subscribe.decorator
