"""Names and numbers that the parts of the library share. Floor 3: values only."""

from enum import Enum

__all__ = [
    'CLIENT_ID_CONTEXT_KEY',
    'CONFIG_KEY',
    'DEFAULT_API_VERSION',
    'REPLAY_ID_CONTEXT_KEY',
    'NotifyForFields',
]

# The section of the configuration.
CONFIG_KEY = 'SALESFORCE'

# Summer '26. Whoever wants another one says so: PushTopics and records may look different in it.
DEFAULT_API_VERSION = '67.0'

# In the context data of a worker that handles an event.
CLIENT_ID_CONTEXT_KEY = 'client_id'
REPLAY_ID_CONTEXT_KEY = 'replay_id'


class NotifyForFields(Enum):
    """Which changes of a record raise a notification of its PushTopic. The value is Salesforce's word.

    all_: of any field, where the record matches the WHERE clause.
    referenced: of fields of the SELECT list or the WHERE clause.
    select: of fields of the SELECT list.
    where: of fields of the WHERE clause.
    """

    all_ = 'All'
    referenced = 'Referenced'
    select = 'Select'
    where = 'Where'
