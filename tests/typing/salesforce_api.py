"""The Salesforce side of the public API as a user writes it. Never executed; see `api.py`."""

from datetime import datetime
from typing import Any, assert_type

from nameko_salesforce.api import NoConnectionFree, RestClient, SalesforceAPI
from nameko_salesforce.constants import NotifyForFields as SameNotifyForFields
from nameko_salesforce.errors import (
    AccountError,
    DeclarationError,
    LoginError,
    LoginFailed,
    LoginPostponed,
    LoginRefused,
    StreamRefused,
)
from nameko_salesforce.events import ChangeEvent, PlatformEvent
from nameko_salesforce.streaming import (
    ChannelReport,
    DeadLetter,
    DeadLetters,
    Gap,
    LetterBox,
    NotifyForFields,
    Status,
    StoreFailed,
    StreamingStatus,
    StreamReport,
    handle_change_event,
    handle_gap,
    handle_notification,
    handle_platform_event,
    handle_sobject_notification,
    subscribe,
)


class Service:
    name = 'service'
    salesforce = SalesforceAPI()

    @subscribe('/topic/InvoiceStatementUpdates', expected_exceptions=ValueError)  # type: ignore[untyped-decorator]
    def handle_invoice(self, topic: str, event: dict[str, Any]) -> None: ...

    @handle_notification(  # type: ignore[untyped-decorator]
        name='ContactNameUpdated',
        query='SELECT Id, Name FROM Contact',
        notify_for_fields=NotifyForFields.select,
        notify_for_operation_create=False,
    )
    def handle_name(self, name: str, notification: dict[str, Any]) -> None: ...

    @handle_sobject_notification(  # type: ignore[untyped-decorator]
        'Contact', record_type='Student', fields=['Email'], notify_for_fields=SameNotifyForFields.select
    )
    def handle_student(
        self, sobject_type: str, record_type: str | None, notification: dict[str, Any]
    ) -> None:
        assert_type(self.salesforce, SalesforceAPI)  # Nameko puts a `RestClient` there when it binds

    @handle_platform_event('Low_Ink__e')  # type: ignore[untyped-decorator]
    def handle_ink(self, name: str, event: PlatformEvent) -> None:
        assert_type(event.payload['Printer_Model__c'], Any)
        assert_type(event.created, datetime | None)
        assert_type(event.replay_id, int | str | None)

    @handle_change_event('Account')  # type: ignore[untyped-decorator]
    def handle_account(self, entity: str, event: ChangeEvent) -> None:
        assert_type(event.is_gap or event.is_overflow, bool)
        assert_type(event.record_ids, tuple[str, ...])
        assert_type(event.fields, dict[str, Any])


def use(client: RestClient) -> str:
    try:
        client.query_all('SELECT Id FROM Contact')
    except NoConnectionFree as error:
        return str(error)
    return client.user_id


def meaning(error: AccountError) -> str:
    match error:
        case LoginRefused(code=code, text=text):
            return f'{code} {text}'
        case LoginFailed(failure=failure):
            return failure.kind.value
        case LoginPostponed(reason=reason):
            return reason
        case LoginError(retry_after=seconds):
            return f'{seconds:g}'
        case DeclarationError(topic=topic, temporary=temporary):
            return f'{topic} {temporary}'
        case StreamRefused(what=what, reason=reason):
            return f'{what} {reason}'
        case _:
            return 'unknown'


# --- positions, status, dead letters ------------------------------------------------------------------


class Careful:
    name = 'careful'
    status = StreamingStatus()
    letters = DeadLetters()

    @handle_platform_event(  # type: ignore[untyped-decorator]
        'Low_Ink__e',
        order='channel',
        key=lambda data: data['payload']['Printer_Model__c'],
        attempts=5,
        timeout=30,
        on_failure='stop',
        start='earliest',
        on_gap='fail',
    )
    def handle(self, name: str, event: PlatformEvent) -> None: ...

    @handle_change_event('Account', batch=500, batch_wait=0.5, order=None)  # type: ignore[untyped-decorator]
    def handle_many(self, entity: str | None, events: list[ChangeEvent]) -> None: ...

    @handle_gap(attempts=1)  # type: ignore[untyped-decorator]
    def reconcile(self, gap: Gap) -> None:
        assert_type(gap.channel, str)
        assert_type(gap.age, float)
        assert_type(gap.replay_id, int | str | None)


def operate(status: Status, letters: LetterBox) -> None:
    report = status.report()
    assert_type(report, StreamReport)
    assert_type(report.problems, list[str])
    assert_type(report.channels['/topic/Contact'], ChannelReport)
    assert_type(report.channels['/topic/Contact'].lag, float)
    assert_type(status.resume('/topic/Contact'), bool)
    try:
        for letter in letters.list('/topic/Contact', newest_first=True, count=10):
            assert_type(letter, DeadLetter)
            assert_type(letters.run_again(letter.number or '', timeout=10), bool)
        assert_type(letters.show('1'), DeadLetter | None)
        assert_type(letters.count(), int)
        assert_type(letters.drop('1'), bool)
    except StoreFailed as problem:
        assert_type(problem, StoreFailed)
