"""The org behind the fake: records, PushTopics and events, without a socket. Pure.

errors, ids, moments, values      refusals, ids, times, types of fields
schema, notation, standard        objects and fields
users, seed                       who may use the org; what it is born with
records                           the tables, and what a record may hold
syntax, soql, binding             queries: text to tree, tree to fields
evaluation, query                 queries: which records, in which order
push_topics, notifications        PushTopics: what they may ask for, what they tell
changes, bus                      change events; platform and generic events
state, planting, raising          all of an org; seeds; which events a write raises
subscribing, describe             what can be subscribed to; what objects look like
org                               the org
"""

from .errors import OrgError
from .org import Created, Org
from .query import Found
from .seed import default_seed, load_seed
from .users import App, User, Users

__all__ = ['App', 'Created', 'Found', 'Org', 'OrgError', 'User', 'Users', 'default_seed', 'load_seed']
