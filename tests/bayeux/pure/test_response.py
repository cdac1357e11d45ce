"""Responses out of bytes, in whatever pieces these arrive; `http.client` is asked what they mean."""

import http.client
import io

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from nameko_salesforce.bayeux.response import PIECE, BadResponse, NoResponse, ResponseReader, Truncated

OK = b'HTTP/1.1 200 OK\r\n'
CHUNKED = OK + b'Transfer-Encoding: chunked\r\n\r\n'


def arriving(data, sizes=(PIECE,)):
    """`receive` that gives `data` in pieces of these sizes, in turn, and then the end."""
    stream, turns = io.BytesIO(data), [0]

    def receive():
        turns[0] += 1
        return stream.read(sizes[turns[0] % len(sizes)])

    return receive


def read(data, sizes=(PIECE,), **how):
    """The first response: status, reason, body, whether the connection can be used again."""
    reader = ResponseReader(arriving(data, sizes))
    response = reader.response(**how)
    return response.status, response.reason, b''.join(response.body), reader.reusable


# --- what a response is -----------------------------------------------------------------------------

lines = st.text(st.characters(min_codepoint=32, max_codepoint=255), max_size=20).map(str.strip)
names = st.sampled_from(['X-One', 'x-two', 'Date', 'Set-Cookie'])
bodies = st.binary(max_size=60)
sizes = st.lists(st.integers(1, 40), min_size=1, max_size=5)


@st.composite
def responses(draw):
    """A good response that ends before the connection does, and what is in it."""
    status = draw(st.sampled_from([200, 201, 400, 401, 503]))
    reason = draw(lines)
    headers = draw(st.lists(st.tuples(names, lines), max_size=5))
    body = draw(bodies)
    fields = [f'{name}:{draw(st.sampled_from(["", " ", "  "]))}{value}' for name, value in headers]
    if draw(st.booleans()):
        fields.append(f'Content-Length: {len(body)}')
        framed = body
    else:
        fields.append('transfer-encoding: Chunked')
        cuts = sorted(draw(st.lists(st.integers(0, len(body)), max_size=4)))
        ends = [*cuts, len(body)]
        parts = [body[a:b] for a, b in zip([0, *cuts], ends, strict=True) if b > a]
        extension = draw(st.sampled_from([b'', b';a=b', b' ; c="d"']))
        trailers = draw(st.sampled_from([b'', b'X: y\r\n', b'X: y\r\nZ: 1\r\n']))
        framed = b''.join(b'%x%b\r\n%b\r\n' % (len(part), extension, part) for part in parts)
        framed += b'0\r\n%b\r\n' % trailers
    head = '\r\n'.join([f'HTTP/1.1 {status} {reason}', *fields, '', '']).encode('latin-1')
    interim = b'HTTP/1.1 100 Continue\r\nX: y\r\n\r\n' * draw(st.integers(0, 2))
    return status, reason, headers, body, interim + head + framed


@given(st.lists(responses(), min_size=1, max_size=3), sizes)
def test_responses_come_one_after_another_in_whatever_pieces_they_arrive(sent, sizes):
    reader = ResponseReader(arriving(b''.join(each[-1] for each in sent), sizes))
    for status, reason, headers, body, _ in sent:
        response = reader.response()
        assert (response.status, response.reason) == (status, reason)
        for name in {name for name, _ in headers}:
            values = [value for each, value in headers if each == name]
            assert response.headers[name.lower()] == values
        assert b''.join(response.body) == body
    assert reader.reusable


class Bytes:
    """As much of a socket as `http.client` needs."""

    def __init__(self, data):
        self.data = data

    def makefile(self, mode):
        return io.BytesIO(self.data)


@given(responses())
def test_the_standard_library_reads_the_same(sent):
    data = sent[-1]
    other = http.client.HTTPResponse(Bytes(data), method='POST')
    other.begin()
    assert read(data) == (other.status, other.reason, other.read(), True)


@given(st.binary(max_size=200) | responses().map(lambda sent: sent[-1]), st.data(), sizes)
@example(b'HTTP/1.1 200 OK\r\n\r\n', None, [1])
def test_any_bytes_give_a_response_or_one_of_three_errors(data, draw, sizes):
    if draw is not None and data:
        # A few bytes are others than they should be, and the end is missing.
        changed = bytearray(data)
        for _ in range(draw.draw(st.integers(0, 3))):
            changed[draw.draw(st.integers(0, len(data) - 1))] = draw.draw(st.integers(0, 255))
        data = bytes(changed[: draw.draw(st.integers(0, len(data)))])
    try:
        status, _, body, reusable = read(data, sizes)
    except (BadResponse, NoResponse, Truncated):
        return
    assert 100 < status < 1000
    assert len(body) <= len(data)
    assert reusable in (True, False)


@pytest.mark.parametrize(
    ('data', 'result'),
    [
        (OK + b'\r\nall', (200, 'OK', b'all', False)),
        (b'HTTP/1.0 200 OK\r\nContent-Length: 1\r\n\r\nx', (200, 'OK', b'x', False)),
        (b'HTTP/1.0 200 OK\r\nConnection: Keep-Alive\r\nContent-Length: 1\r\n\r\nx', (200, 'OK', b'x', True)),
        (OK + b'Connection: a, Close\r\nContent-Length: 1\r\n\r\nx', (200, 'OK', b'x', False)),
        (OK + b'Content-Length: 0\r\n\r\n', (200, 'OK', b'', True)),
        (OK + b'Content-Length: 1, 1\r\nContent-Length: 1\r\n\r\nx', (200, 'OK', b'x', True)),
        (b'HTTP/1.1 204 No\r\nContent-Length: 5\r\n\r\n', (204, 'No', b'', True)),
        (b'HTTP/1.1 200\r\nContent-Length: 0\r\n\r\n', (200, '', b'', True)),
        (b'HTTP/1.1 200 OK\nContent-Length: 1\n\nx', (200, 'OK', b'x', True)),
        (OK + b'Content-Length: 9\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n', (200, 'OK', b'', False)),
        (CHUNKED + b'1\nx\n0\n\n', (200, 'OK', b'x', True)),
    ],
)
@pytest.mark.parametrize('size', [1, PIECE])
def test_where_a_response_ends_and_whether_another_may_follow(data, result, size):
    assert read(data, [size]) == result


@pytest.mark.parametrize('data', [OK + b'Content-Length: 1\r\n\r\nxy', CHUNKED + b'1\r\nx\r\n0\r\n\r\ny'])
def test_after_a_response_with_something_behind_it_none_may_follow(data):
    assert read(data) == (200, 'OK', b'x', False)


def test_a_folded_header_is_one():
    response = ResponseReader(arriving(OK + b'X: a\r\n  b\r\n\tc\r\n\r\n')).response()
    assert response.headers == {'x': ['a b c']}


def test_the_answer_to_connect_has_no_body():
    assert read(OK + b'Content-Length: 9\r\n\r\n', tunnel=True) == (200, 'OK', b'', True)
    assert read(OK + b'\r\nearly', tunnel=True) == (200, 'OK', b'', False)
    assert read(b'HTTP/1.1 407 No\r\nContent-Length: 1\r\n\r\nx', tunnel=True)[2] == b'x'


def test_what_is_complete_is_given_before_what_is_broken():
    body = ResponseReader(arriving(CHUNKED + b'1\r\nx\r\nzz\r\n')).response().body
    assert next(body) == b'x'
    with pytest.raises(Truncated):
        next(body)


def test_tiny_chunks_that_have_arrived_are_one_piece():
    body = ResponseReader(arriving(CHUNKED + b'1\r\nx\r\n' * 1000 + b'0\r\n\r\n')).response().body
    assert list(body) == [b'x' * 1000]


# --- what is none -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ('data', 'error'),
    [
        (b'', NoResponse),
        (b'HTT', Truncated),
        (OK + b'Content-', Truncated),
        (b'SSH-2.0-OpenSSH\r\n', BadResponse),
        (b'HTTP/2 200\r\n\r\n', BadResponse),
        (b'HTTP/1.1 2x0 OK\r\n\r\n', BadResponse),
        (b'HTTP/1.1 099 OK\r\n\r\n', BadResponse),
        (OK + b'Name : value\r\n\r\n', BadResponse),
        (OK + b' folded\r\n\r\n', BadResponse),
        (OK + b'Content-Length: -1\r\n\r\n', BadResponse),
        (OK + b'Content-Length: 1\r\nContent-Length: 2\r\n\r\n', BadResponse),
        (OK + b'Content-Length: ' + b'9' * 5000 + b'\r\n\r\n', BadResponse),
        (OK + b'Transfer-Encoding: gzip, chunked\r\n\r\n', BadResponse),
        (OK + b'Content-Length: 5\r\n\r\nabc', Truncated),
        (CHUNKED + b'5\r\nabc', Truncated),
        (CHUNKED + b'1\r\nx0\r\n\r\n', Truncated),
        (CHUNKED + b'-1\r\nx\r\n0\r\n\r\n', Truncated),
        (CHUNKED + b'f' * 16 + b'\r\n', Truncated),
        (CHUNKED + b'0\r\n', Truncated),
    ],
)
@pytest.mark.parametrize('size', [1, PIECE])
def test_what_is_no_response_is_an_error(data, error, size):
    with pytest.raises(error):
        read(data, [size])


@pytest.mark.parametrize(
    ('first', 'again', 'error'),
    [
        (b'', b'HTTP/1.1 100 Continue\r\n\r\n', BadResponse),
        (OK, b'X: y\r\n', BadResponse),
        (OK, b'y', BadResponse),
        (CHUNKED + b'0\r\n', b'X: y\r\n', Truncated),
        (CHUNKED + b'1;', b'y', Truncated),
        (CHUNKED, b'\r\n', Truncated),
    ],
    ids=['interim', 'headers', 'header', 'trailers', 'extension', 'blank lines'],
)
@pytest.mark.parametrize('size', [1000, PIECE])
def test_what_does_not_end_is_given_up_after_a_bounded_number_of_bytes(first, again, error, size):
    taken = 0

    def receive():
        nonlocal taken
        data = (first + again * (size // len(again) + 1))[:size] if not taken else (again * size)[:size]
        taken += len(data)
        assert taken < 10 * PIECE
        return data

    reader = ResponseReader(receive)
    with pytest.raises(error):
        b''.join(reader.response().body)
