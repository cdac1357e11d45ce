"""Every example, as it stands in `examples/`, under `nameko run` against the fake org."""

from pathlib import Path

import pytest
from nameko.events import event_handler

from tests.integration.processes import Process
from tests.integration.rabbitmq import call_rpc

EXAMPLES = Path(__file__).parents[2] / 'examples'


@pytest.fixture
def run(org, tmp_path):
    """`run('contacts', '/topic/Contact')` starts an example and waits until it has subscribed there."""
    processes = []

    def run(name, *channels, **config):
        folder = tmp_path / name
        folder.mkdir()
        process = Process(name, {'SALESFORCE': org.server.section(), **config}, folder, code=EXAMPLES)
        processes.append(process)
        if channels:
            org.server.wait_for_subscriptions(*channels, timeout=30)
        return process

    yield run
    for process in processes:
        process.terminate()
        assert process.status(within=10) == 0, process.log
        process.end()


def test_contacts_are_greeted(run, org):
    process = run('contacts', '/topic/Contact')
    contact = org.ada.create('Contact', FirstName='Grace', LastName='Hopper')
    process.wait_for('created: Grace Hopper')
    org.until(
        'the greeting', lambda: org.ada.read('Contact', contact)['Description'] == 'Hello, Grace Hopper!'
    )


def test_invoices_are_told(run, org):
    process = run('invoices', '/topic/InvoiceStatementUpdates')
    invoice = org.ada.create('Invoice_Statement__c', Status__c='Open')
    number = org.ada.read('Invoice_Statement__c', invoice)['Name']
    process.wait_for(f'/topic/InvoiceStatementUpdates: {number} is Open')


def test_notifications_of_two_topics_of_the_service(run, org):
    process = run('notifications', '/topic/ContactUpdates', '/topic/ContactNameUpdated')
    contact = org.ada.create('Contact', FirstName='Grace', LastName='Murray')
    org.ada.update('Contact', contact, Email='grace@example.com')
    org.ada.update('Contact', contact, LastName='Hopper')
    process.wait_for('ContactNameUpdated: Grace Hopper')
    process.wait_for(f'ContactUpdates: created {contact}')
    process.wait_for(f'ContactUpdates: updated {contact}')
    assert process.log.count('\nContactNameUpdated:') == 1


def test_students_alone_are_told(run, org):
    process = run('students', '/topic/ContactStudent')
    [student_type] = org.ada.query("SELECT Id FROM RecordType WHERE DeveloperName = 'Student'")
    student = org.ada.create('Contact', LastName='Old', RecordTypeId=student_type['Id'])
    other = org.ada.create('Contact', LastName='Nobody')
    org.ada.update('Contact', other, LastName='Somebody')
    org.ada.update('Contact', student, LastName='New')
    process.wait_for('Student: New')
    assert process.log.count('\nStudent:') == 1


def test_platform_and_change_events_are_told(run, org):
    process = run('streams', '/event/Low_Ink__e', '/data/AccountChangeEvent')
    org.ada.create('Low_Ink__e', Printer_Model__c='XZO-5')
    process.wait_for('Low_Ink__e: XZO-5')
    account = org.ada.create('Account', Name='Acme')
    process.wait_for(f"Account: CREATE ('{account}',)")


def test_a_contact_is_created_by_rpc(run, org, rabbit):
    run('registry', AMQP_URI=rabbit)
    created = call_rpc(rabbit, 'registry', 'create_contact', 'Hopper', 'grace@example.com', timeout=30)
    assert created['success'] is True
    contact = org.ada.read('Contact', created['id'])
    assert (contact['LastName'], contact['Email']) == ('Hopper', 'grace@example.com')
    assert org.logins() == 1


def test_changes_become_nameko_events(run, org, rabbit, container_factory):
    heard = []

    class Listener:
        name = 'listener'

        @event_handler('salesforce', 'salesforce_lead_updated')
        @event_handler('salesforce', 'salesforce_opportunity_created')
        def hear(self, payload):
            heard.append(payload)

    container_factory(Listener, {'AMQP_URI': rabbit}).start()
    run('proxy', '/topic/Lead', '/topic/Opportunity', AMQP_URI=rabbit)
    org.ada.create('Opportunity', Name='Big', StageName='New', CloseDate='2026-12-24')
    lead = org.ada.create('Lead', LastName='Hopper', Company='Navy')
    org.ada.update('Lead', lead, Company='Eckert-Mauchly')
    org.until('two events', lambda: len(heard) >= 2)
    assert sorted(each['Name'] for each in heard) == ['Big', 'Hopper']


@pytest.mark.parametrize('path', sorted(EXAMPLES.glob('*.py')), ids=lambda path: path.stem)
def test_every_example_is_run_by_a_test(path):
    here = Path(__file__).read_text()
    others = {'chat': 'test_readme.py', 'demo': 'test_demo.py'}
    assert f"run('{path.stem}'" in here or path.stem in others
