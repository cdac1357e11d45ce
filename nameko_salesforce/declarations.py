"""PushTopics of a service, made to exist in its org. Floor 3.

Decides when the org is asked and what is written; what a topic should be is `push_topics.py`'s, what
differs is `topic_plan.py`'s. The one place where exceptions of requests and simple-salesforce about topics
end: each becomes a `DeclarationError` with the topic's name. `LoginError` passes, for it is not about it.

Invariants:
- One topic at a time, in the order of the calls. A caller that is killed gives way to the next.
- Nothing that was found out is trusted twice: a look-up serves one plan, and a failure begins anew.
- A Salesforce that does not answer is waited for once, not once for each topic in line.
"""

import logging
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any

import requests
from eventlet.event import Event
from simple_salesforce.exceptions import SalesforceError, SalesforceResourceNotFound

from nameko_salesforce.errors import DeclarationError
from nameko_salesforce.push_topics import DesiredTopic, SobjectTopic, Topic, collect
from nameko_salesforce.rest import RestClient
from nameko_salesforce.rest_failures import codes_of, is_temporary, words_of
from nameko_salesforce.topic_plan import Create, Keep, Update, plan, record_type_query, topic_queries

__all__ = ['Declarations']

log = logging.getLogger(__name__)

# Looks at one topic before it counts as a failure. Coming second to another replica costs one look more; a
# third is for one that comes second twice, since somebody deletes what others create.
LOOKS = 3

# Of an answer to a look-up, which finds some hundred records at most; the first page holds 2,000.
PAGES = 100

# Seconds in line. Below the two minutes that a preparation may take: it shall end with a reason.
TURN_LIMIT = 60.0


class Declarations:
    """The declared topics of a service.

    Args:
        client: gives the REST client; called when something has to be asked.
        topics: as the decorators declare them.
    Raises:
        ValueError: two of them contradict each other; names both.
    """

    def __init__(self, client: Callable[[], RestClient], topics: Sequence[Topic]) -> None:
        self._client = client
        self._topics = {topic.name: topic for topic in collect(topics)}
        self._line: deque[Event] = deque()
        # Name -> id of the user whose changes it leaves out, '' if of nobody.
        self._agreed: dict[str, str] = {}
        # How often nobody answered, and how that was the last time.
        self._silences = 0
        self._silence = ''
        # What the first look found of topics that nobody has asked for yet. None: not there.
        self._found: dict[str, Mapping[str, Any] | None] = {}
        self._looked = False
        self._has_name: dict[str, bool] = {}
        self._record_types: dict[tuple[str, str], str] = {}

    def ensure(self, name: str, *, again: bool = False) -> None:
        """Make the topic exist as it was declared, and be active. Blocks its green thread.

        Nothing is asked where this was done before, or where the topic is not declared here (somebody
        else takes care of it).

        Args:
            again: ask in any case: there are signs that the topic has been deleted or deactivated since.
        Raises:
            DeclarationError: Salesforce refuses it, or could not be asked. The next call tries again.
            LoginError: there is no token.
        """
        topic = self._topics.get(name)
        if topic is None:
            return
        silences = self._silences
        with self._turn(name), _edge(name):
            client = self._client()
            user = client.user_id if isinstance(topic, SobjectTopic) and topic.exclude_current_user else ''
            if self._agreed.get(name) == user and not again:
                return
            if self._silences > silences:
                # While this call waited.
                raise DeclarationError(name, self._silence, True)
            if again:
                # Perhaps the org is another one: made anew, with other ids.
                self._found.pop(name, None)
                self._record_types.clear()
                self._has_name.clear()
            self._agreed.pop(name, None)
            try:
                self._make(client, topic, user)
            except requests.RequestException as error:
                self._silences += 1
                self._silence = words_of(error)
                raise
            self._agreed[name] = user

    def _make(self, client: RestClient, topic: Topic, user: str) -> None:
        desired = self._resolved(client, topic, user)
        refusal = ''
        for _ in range(LOOKS):
            existing = self._existing(client, topic.name)
            step = plan(desired, existing, api_version=client.sf_version)
            try:
                self._carry_out(client, desired, step)
            except SalesforceError as error:
                if not _overtaken(step, error):
                    raise
                refusal = words_of(error)
                log.info('PushTopic %s: somebody else was quicker, looking again (%s)', topic.name, refusal)
            else:
                if isinstance(step, Update) and existing is not None and 'Query' in step.changes:
                    # Perhaps somebody else's: services that share a topic would take turns at each start.
                    log.warning(
                        'PushTopic %s had another query, which was replaced: %.1300s',
                        topic.name,
                        existing.get('Query'),
                    )
                return
        text = f'it is there and not there, even after {LOOKS} looks: {refusal}'
        raise DeclarationError(topic.name, text, True)

    def _carry_out(self, client: RestClient, desired: DesiredTopic, step: Create | Update | Keep) -> None:
        match step:
            case Create(values):
                _read(lambda: client.PushTopic.create(dict(values)))
                log.info('PushTopic %s created: %s', desired.name, desired.query)
            case Update(record_id, changes):
                client.PushTopic.update(record_id, dict(changes))
                log.info('PushTopic %s updated: %s', desired.name, ', '.join(changes))
            case _:
                log.debug('PushTopic %s is as it should be', desired.name)

    def _existing(self, client: RestClient, name: str) -> Mapping[str, Any] | None:
        """The record of a topic; the first call looks for all."""
        if name not in self._found:
            names = [name] if self._looked else list(self._topics)
            records = [record for query in topic_queries(names) for record in _records(client, query)]
            by_name = {record['Name'].casefold(): record for record in records}
            self._found.update({each: by_name.get(each.casefold()) for each in names})
            self._looked = True
        found = self._found.pop(name)
        if found is not None and found['Name'] != name:
            # Salesforce compares names without case, and channels with it.
            raise ValueError(
                f'the org has a PushTopic {found["Name"]}, and names may not differ in case alone:'
                ' use that name'
            )
        return found

    # --- what only the org knows -----------------------------------------------------------------

    def _resolved(self, client: RestClient, topic: Topic, user: str) -> DesiredTopic:
        if isinstance(topic, DesiredTopic):
            return topic
        return topic.resolve(
            user_id=user,
            record_type_id=self._record_type(client, topic.sobject_type, topic.record_type),
            has_name=self._name_of(client, topic.sobject_type),
        )

    def _name_of(self, client: RestClient, sobject_type: str) -> bool:
        if sobject_type not in self._has_name:
            # By its path: as an attribute, an object called "session" would be the client's.
            described = _read(lambda: client.restful(f'sobjects/{sobject_type}/describe'))
            self._has_name[sobject_type] = any(field['name'] == 'Name' for field in described['fields'])
        return self._has_name[sobject_type]

    def _record_type(self, client: RestClient, sobject_type: str, record_type: str | None) -> str:
        if record_type is None:
            return ''
        key = (sobject_type, record_type)
        if key not in self._record_types:
            found = _records(client, record_type_query(sobject_type, record_type))
            if len(found) != 1:
                many = f'{len(found)} record types are' if found else 'no record type is'
                raise ValueError(
                    f'{many} called {record_type!r} (developer name) among those of {sobject_type}'
                )
            self._record_types[key] = str(found[0]['Id'])
        return self._record_types[key]

    # --- order -----------------------------------------------------------------------------------

    @contextmanager
    def _turn(self, topic: str) -> Iterator[None]:
        mine = Event()
        self._line.append(mine)
        try:
            if self._line[0] is not mine and mine.wait(timeout=TURN_LIMIT) is None:
                raise DeclarationError(topic, 'other PushTopics are being declared', True)
            yield
        finally:
            # Also where the wait was killed. No switch between here and the end.
            first = self._line[0] is mine
            self._line.remove(mine)
            if first and self._line:
                self._line[0].send(True)


def _records(client: RestClient, query: str) -> list[Mapping[str, Any]]:
    found: list[Mapping[str, Any]] = []
    ask = partial(client.query, query)
    for _ in range(PAGES):
        page = _read(ask)
        found += page['records']
        if page['done']:
            return found
        ask = partial(client.query_more, page['nextRecordsUrl'], identifier_is_url=True)
    raise _Useless(f'an answer of more than {PAGES} pages')


class _Useless(Exception):
    """An answer that is none of Salesforce's: a proxy, a page of maintenance."""


def _read(ask: Callable[[], Any]) -> Any:
    """What an answer holds; its ValueErrors are not about a topic."""
    try:
        return ask()
    except requests.RequestException:
        raise
    except (ValueError, RecursionError) as error:
        # A number of five thousand digits, lists in lists in lists.
        raise _Useless(f'an answer that cannot be read ({type(error).__name__})') from error


def _overtaken(step: Create | Update | Keep, error: SalesforceError) -> bool:
    """Whether somebody else created or deleted the topic since we looked."""
    if isinstance(step, Create):
        return 'DUPLICATE_VALUE' in codes_of(error)
    return isinstance(step, Update) and isinstance(error, SalesforceResourceNotFound)


@contextmanager
def _edge(topic: str) -> Iterator[None]:
    try:
        yield
    except (SalesforceError, requests.RequestException) as error:
        raise DeclarationError(topic, words_of(error), is_temporary(error)) from error
    except ValueError as problem:
        raise DeclarationError(topic, str(problem)) from problem
    except _Useless as error:
        raise DeclarationError(topic, str(error), True) from error
    except (LookupError, TypeError, AttributeError) as error:
        raise DeclarationError(topic, f'an answer without what was asked for: {error!r}', True) from error
