"""Bulk API 1.0 below `/services/async`, as much as clients need for batches of JSON. Pure.

A batch is done when it has been posted: nobody waits. Records are written one by one, each with a result of
its own, and a record that fails stops no other. Salesforce sends no PushTopic notifications for changes by
Bulk API; `BulkApi.at_work` says when such changes are being made.
Source: Bulk API Developer Guide; simple-salesforce and jsforce for what clients look at.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from .api_requests import ApiRequest
from .decoding import loads
from .identity import AuthProblem, Identity
from .org import Org, OrgError
from .replies import Reply, json_reply

__all__ = ['BulkApi']

RECORDS_PER_BATCH = 10_000

WRITES = ('insert', 'update', 'upsert', 'delete', 'hardDelete')
READS = ('query', 'queryAll')
# By name or, as simple-salesforce sends it, by number.
CONCURRENCY: dict[object, str] = {'Parallel': 'Parallel', 'Serial': 'Serial', 0: 'Parallel', 1: 'Serial'}


class _Refused(Exception):
    def __init__(self, code: str, text: str, status: int = 400) -> None:
        super().__init__(code)
        self.code = code
        self.text = text
        self.status = status


@dataclass(slots=True)
class _Batch:
    id: str
    request: Any
    results: list[Any] = field(default_factory=list)
    failed: int = 0
    message: str | None = None


@dataclass(slots=True)
class _Job:
    id: str
    version: str
    user_id: str
    operation: str
    sobject: str
    key: str | None
    mode: str
    created: str
    state: str = 'Open'
    batches: dict[str, _Batch] = field(default_factory=dict)


class BulkApi:
    """The jobs of one org.

    Attributes:
        at_work: whether a batch is writing right now.
    """

    def __init__(
        self,
        org: Org,
        identity: Identity,
        *,
        moment: Callable[[float], str],
    ) -> None:
        self.at_work = False
        self._org = org
        self._identity = identity
        self._moment = moment
        self._jobs: dict[str, _Job] = {}
        self._count = 0

    def answer(self, request: ApiRequest, now: float) -> Reply:
        """The answer to any request below `/services/async`; the token stands in `X-SFDC-Session`."""
        try:
            return self._answer(request, request.parts, now)
        except _Refused as refused:
            value = {'exceptionCode': refused.code, 'exceptionMessage': refused.text}
            return json_reply(refused.status, value, error=refused.code)

    def _answer(self, request: ApiRequest, parts: list[str], now: float) -> Reply:
        version = parts[0] if parts else ''
        settings = self._identity.settings
        oldest, newest = float(settings.oldest_api_version), float(settings.newest_api_version)
        if not re.fullmatch(r'\d+\.0', version) or not oldest <= float(version) <= newest:
            raise _Refused('InvalidVersion', f'Unsupported API version {version}')
        session = self._identity.session(request.authorization or '', now)
        if isinstance(session, AuthProblem) or not session.opens_rest:
            raise _Refused('InvalidSessionId', 'Invalid session id')
        if self._identity.password_expired(session):  # inferred: as REST and streaming
            raise _Refused('InvalidSessionId', 'Invalid session id')
        match (request.method, *parts[1:]):
            case ('POST', 'job'):
                return self._open(request, version, session.user_id, now)
            case ('GET', 'job', job_id):
                return json_reply(200, _job_info(self._job(job_id)))
            case ('POST', 'job', job_id):
                return self._close(self._job(job_id), request)
            case ('POST', 'job', job_id, 'batch'):
                return self._add(self._job(job_id), request, now)
            case ('GET', 'job', job_id, 'batch', batch_id):
                job = self._job(job_id)
                return json_reply(200, _batch_info(job, _batch(job, batch_id)))
            case ('GET', 'job', job_id, 'batch', batch_id, 'request'):
                return json_reply(200, _batch(self._job(job_id), batch_id).request)
            case ('GET', 'job', job_id, 'batch', batch_id, 'result'):
                job = self._job(job_id)
                batch = _batch(job, batch_id)
                return json_reply(200, [_result_id(batch)] if job.operation in READS else batch.results)
            case ('GET', 'job', job_id, 'batch', batch_id, 'result', result_id):
                batch = _batch(self._job(job_id), batch_id)
                if result_id == _result_id(batch):
                    return json_reply(200, batch.results)
        raise _Refused('InvalidUrl', f'Unable to find resource for {request.method} {request.path}', 404)

    def _open(self, request: ApiRequest, version: str, user_id: str, now: float) -> Reply:
        value = _json_object(request)
        known = ('operation', 'object', 'contentType', 'concurrencyMode', 'externalIdFieldName')
        operation, sobject, kind = (value.get(name) for name in known[:3])
        named = value.get('concurrencyMode', 'Parallel')
        mode = CONCURRENCY.get(named) if isinstance(named, str | int) else None
        key = value.get('externalIdFieldName')
        if set(value) - set(known) or operation not in WRITES + READS or kind != 'JSON' or mode is None:
            raise _Refused('InvalidJob', 'the fake takes jobs with operation, object and contentType JSON')
        if not isinstance(sobject, str) or isinstance(key, str) != (operation == 'upsert'):
            raise _Refused('InvalidJob', 'a job has an object, and an externalIdFieldName to upsert by')
        job = _Job(self._id('750'), version, user_id, operation, sobject, key, mode, self._moment(now))
        self._jobs[job.id] = job
        return json_reply(201, _job_info(job))

    def _close(self, job: _Job, request: ApiRequest) -> Reply:
        state = _json_object(request).get('state')
        if state not in ('Closed', 'Aborted'):
            raise _Refused('InvalidJob', 'the state of a job can be set to Closed or Aborted')
        job.state = state
        return json_reply(200, _job_info(job))

    def _add(self, job: _Job, request: ApiRequest, now: float) -> Reply:
        if job.state != 'Open':
            raise _Refused('InvalidJobState', f'Job is {job.state.lower()}')
        self.at_work = True
        try:
            batch = (
                self._read(job, request, now) if job.operation in READS else self._write(job, request, now)
            )
        finally:
            self.at_work = False
        job.batches[batch.id] = batch
        return json_reply(201, _batch_info(job, batch))

    def _read(self, job: _Job, request: ApiRequest, now: float) -> _Batch:
        batch = _Batch(self._id('751'), request.body.decode(errors='replace'))
        try:
            everything = job.operation == 'queryAll'
            found = self._org.query(batch.request, now=now, all_rows=everything, api_version=job.version)
            batch.results = list(found)
        except OrgError as problem:
            batch.message = f'InvalidBatch : Failed to process query: {problem.code}: {problem.message}'
        return batch

    def _write(self, job: _Job, request: ApiRequest, now: float) -> _Batch:
        records = _json(request)
        if not isinstance(records, list) or not all(isinstance(one, dict) for one in records):
            raise _Refused('InvalidBatch', 'expected a list of records')
        if not records or len(records) > RECORDS_PER_BATCH:
            raise _Refused('InvalidBatch', f'a batch has 1 to {RECORDS_PER_BATCH} records')
        batch = _Batch(self._id('751'), records)
        for record in records:
            try:
                record_id, created = self._write_record(job, record, now)
                result = {'success': True, 'created': created, 'id': record_id, 'errors': []}
            except OrgError as problem:
                error = {
                    'statusCode': problem.code,
                    'message': problem.message,
                    'fields': list(problem.fields),
                    'extendedErrorDetails': None,
                }
                result = {'success': False, 'created': False, 'id': None, 'errors': [error]}
                batch.failed += 1
            batch.results.append(result)
        return batch

    def _write_record(self, job: _Job, record: dict[str, Any], now: float) -> tuple[str, bool]:
        """Returns the record's id and whether it is new."""
        values = {name: value for name, value in record.items() if name != 'attributes'}
        how: dict[str, Any] = {'user_id': job.user_id, 'now': now, 'api_version': job.version}
        if job.operation == 'insert':
            return self._org.create(job.sobject, values, **how), True
        if job.operation == 'upsert':
            assert job.key is not None
            value = values.get(job.key)
            if value is None:
                raise OrgError('MISSING_ARGUMENT', f'{job.key} not specified', [job.key])
            record_id = self._org.find(job.sobject, job.key, value)
            if record_id is None:
                return self._org.create(job.sobject, values, **how), True
            del values[job.key]
        else:
            record_id = values.pop('Id', None) or values.pop('id', None)
            if not isinstance(record_id, str):
                raise OrgError('MISSING_ARGUMENT', 'Id not specified in an update call', ['Id'])
        if job.operation in ('delete', 'hardDelete'):
            self._org.delete(job.sobject, record_id, **how)
        else:
            self._org.update(job.sobject, record_id, values, **how)
        return record_id, False

    def _job(self, job_id: str) -> _Job:
        if job_id not in self._jobs:
            raise _Refused('InvalidJob', f'Invalid job id: {job_id}', 404)
        return self._jobs[job_id]

    def _id(self, prefix: str) -> str:
        self._count += 1
        return f'{prefix}{self._count:012d}AAA'


def _batch(job: _Job, batch_id: str) -> _Batch:
    if batch_id not in job.batches:
        raise _Refused('InvalidBatch', f'Invalid batch id: {batch_id}', 404)
    return job.batches[batch_id]


def _result_id(batch: _Batch) -> str:
    return f'752{batch.id[3:]}'


def _json(request: ApiRequest) -> Any:
    if request.content_type != 'application/json':
        raise _Refused('InvalidBatch', f'Content type {request.content_type!r} is not that of the job: JSON')
    try:
        return loads(request.body.decode())
    except (ValueError, RecursionError):
        raise _Refused('InvalidBatch', 'the body is not JSON') from None


def _json_object(request: ApiRequest) -> dict[str, Any]:
    value = _json(request)
    if not isinstance(value, dict):
        raise _Refused('InvalidJob', 'expected an object')
    return value


def _job_info(job: _Job) -> dict[str, Any]:
    done = list(job.batches.values())
    return {
        'id': job.id,
        'operation': job.operation,
        'object': job.sobject,
        'createdById': job.user_id,
        'createdDate': job.created,
        'systemModstamp': job.created,
        'state': job.state,
        'externalIdFieldName': job.key,
        'concurrencyMode': job.mode,
        'contentType': 'JSON',
        'apiVersion': float(job.version),
        'numberBatchesQueued': 0,
        'numberBatchesInProgress': 0,
        'numberBatchesCompleted': len([one for one in done if one.message is None]),
        'numberBatchesFailed': len([one for one in done if one.message is not None]),
        'numberBatchesTotal': len(done),
        'numberRecordsProcessed': sum(len(one.results) for one in done),
        'numberRecordsFailed': sum(one.failed for one in done),
        'numberRetries': 0,
    }


def _batch_info(job: _Job, batch: _Batch) -> dict[str, Any]:
    return {
        'id': batch.id,
        'jobId': job.id,
        'state': 'Completed' if batch.message is None else 'Failed',
        'stateMessage': batch.message,
        'createdDate': job.created,
        'systemModstamp': job.created,
        'numberRecordsProcessed': len(batch.results),
        'numberRecordsFailed': batch.failed,
        'totalProcessingTime': 0,
        'apiActiveProcessingTime': 0,
        'apexProcessingTime': 0,
    }
