"""A strict fake Salesforce or CometD server, for developing and testing streaming services without an org.

    settings, errors, channels    what the server is like: numbers, texts, names        (pure)
    journal                       what happened, and what clients did wrong              (pure)
    sessions, broker              Bayeux: requests and `now` in, answers or "held" out   (pure)
    vanilla, salesforce           where the two kinds of servers differ                  (pure)
    streams, replay, filters      subscriptions and events of Salesforce                 (pure)
    org                           records, queries, PushTopics, the events of writes     (pure)
    identity, soap, oauth         who may come in, and by which way                      (pure)
    resources, bulk, tenant       REST and Bulk API; an org with all of this             (pure)
    faults                        damage by schedule                                     (pure)
    front, login, rest, control, server   HTTP on asyncio; the only part that needs aiohttp
    client, pytest_plugin         the handle for tests; standard library only

It shares no code with `nameko_salesforce`: two parties that share a type agree on its mistakes.
Importing this package imports none of its modules.
"""

__all__ = ()
