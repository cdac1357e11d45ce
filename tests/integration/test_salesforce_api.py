"""The dependency in real containers: workers that call Salesforce, and what may go wrong around them."""

import eventlet
import pytest
from nameko.exceptions import ConfigurationError
from nameko.testing.services import dummy
from requests.exceptions import ReadTimeout

from nameko_salesforce.api import SalesforceAPI
from nameko_salesforce.errors import LoginFailed, LoginPostponed, LoginRefused


class Contacts:
    name = 'contacts'

    salesforce = SalesforceAPI()

    @dummy
    def create(self, last_name):
        return self.salesforce.Contact.create({'LastName': last_name})['id']

    @dummy
    def names(self):
        records = self.salesforce.query_all_iter('SELECT LastName FROM Contact ORDER BY LastName')
        return [record['LastName'] for record in records]

    @dummy
    def load(self, count):
        records = [{'LastName': f'{number}'} for number in range(count)]
        return [each['success'] for each in self.salesforce.bulk.Contact.insert(records, batch_size=1)]


@pytest.fixture
def service(org):
    """`service(**section)` -> a started container of `Contacts`."""

    def begin(**section):
        return org.make(Contacts, max_workers=60, **section).start().container

    return begin


def start(container, method, *args):
    """Run a worker; its end sends what it returned, or raises what it raised, to who waits for the event."""
    (entrypoint,) = (each for each in container.entrypoints if each.method_name == method)
    end = eventlet.event.Event()

    def handle_result(worker_ctx, result, exc_info):
        if exc_info is None:
            end.send(result)
        else:
            end.send_exception(exc_info[1])
        return result, exc_info

    container.spawn_worker(entrypoint, args, {}, handle_result=handle_result)
    return end


def call(container, method, *args):
    # Not Nameko's entrypoint_hook: of several at a time, each takes the first result that comes.
    return start(container, method, *args).wait()


def test_a_worker_creates_and_reads_records(org, service):
    container = service()
    record_id = call(container, 'create', 'Lovelace')
    assert org.ada.read('Contact', record_id)['LastName'] == 'Lovelace'
    assert call(container, 'names') == ['Lovelace']
    assert org.logins() == 1


def test_a_worker_loads_records_in_bulk(service):
    container = service()
    assert call(container, 'load', 5) == [True] * 5
    assert len(call(container, 'names')) == 5


@pytest.mark.defect('R3')
def test_fifty_workers_share_a_few_connections_one_login_and_one_renewal(org, service):
    container = service(POOL_SIZE=5)
    most = []
    watch = eventlet.spawn(lambda: [(most.append(org.sockets()), eventlet.sleep(0.01)) for _ in range(10**6)])
    pool = eventlet.GreenPool(50)
    list(pool.imap(lambda number: call(container, 'create', f'{number}'), range(50)))
    assert org.logins() == 1
    org.server.revoke_tokens()
    list(pool.imap(lambda number: call(container, 'create', f'{number}'), range(50)))
    assert org.logins() == 2
    watch.kill()
    # And one for a login.
    assert 1 <= max(most) <= 6
    assert len(call(container, 'names')) == 100


def test_a_service_starts_while_salesforce_is_down_and_works_when_it_is_there(org, service, log):
    log.expect_error('.*')
    org.server.stop()
    container = service(BACKOFF_FIRST=0.01)
    with pytest.raises(LoginFailed):
        call(container, 'names')
    org.server.start()

    def works():
        try:
            return call(container, 'names') == []
        except (LoginFailed, LoginPostponed):
            return False

    org.until('a login', works, patience=60.0)


def test_a_worker_gets_what_goes_wrong_and_the_service_lives_on(org, service, log):
    log.expect_error('.*')
    container = service(CONSUMER_SECRET='wrong')
    with pytest.raises(LoginRefused):
        call(container, 'create', 'a')
    with pytest.raises(LoginPostponed):
        call(container, 'create', 'b')
    assert org.logins() == 1
    assert not container._died.ready()


@pytest.mark.defect('R5')
def test_a_request_that_is_not_answered_ends_in_time(org, service, log):
    log.expect_error('.*')
    container = service(REQUEST_TIMEOUT=1, POOL_SIZE=1)
    org.server.faults.add('never', channel='rest', processed=False)
    with org.bounded(), pytest.raises(ReadTimeout):
        call(container, 'create', 'a')
    assert call(container, 'names') == []


@pytest.mark.parametrize('how', ['stop', 'kill'])
def test_no_connection_survives_the_service(org, how):
    running = org.make(Contacts).start()
    call(running.container, 'create', 'Lovelace')
    assert org.sockets() == 1
    running.end(how)
    org.nothing_left(running)


def test_a_kill_does_not_wait_for_a_request(org):
    running = org.make(Contacts).start()
    call(running.container, 'create', 'Lovelace')
    org.server.faults.add('never', channel='rest', count=None)
    marked = org.server.mark()
    start(running.container, 'create', 'x')
    org.server.wait_for('fault', after=marked)
    running.end('kill')
    org.nothing_left(running)


@pytest.mark.defect('R6')
def test_a_wrong_configuration_is_told_in_full_when_the_service_starts(org, log):
    log.expect_error('contacts cannot start')
    running = org.make(Contacts, CONSUMER_KEY=None, POOL_SIZE='many')
    with pytest.raises(ConfigurationError, match='(?s)POOL_SIZE.*CONSUMER_KEY|CONSUMER_KEY.*POOL_SIZE'):
        running.start()
