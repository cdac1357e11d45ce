"""Messages come out of a body as it arrives, whatever the body and wherever it is cut."""

import json
import time
import tracemalloc

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from nameko_salesforce.bayeux.decoder import MessageDecoder, Unkept
from nameko_salesforce.bayeux.failures import FailureKind

PIECE = 65_536

text = st.text(st.characters(codec='utf-8'), max_size=12) | st.sampled_from(
    ['"', '\\', '\\"', '{', '}', '[{', '},{', '\u2028', '\U0001f600', '\ufeff', 'channel']
)
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | text,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(text, inner, max_size=4),
    max_leaves=12,
)
messages = st.lists(st.dictionaries(text, values, max_size=5), max_size=6)


def write(value, ascii_only=False, indent=None):
    return json.dumps(value, ensure_ascii=ascii_only, indent=indent).encode()


def chunked(body, sizes):
    """Cut `body` into pieces of these sizes, repeated as often as needed."""
    index = turn = 0
    while index < len(body):
        size = sizes[turn % len(sizes)]
        yield body[index : index + size]
        index += size
        turn += 1


def decode(body, sizes=(PIECE,), **options):
    decoder = MessageDecoder(**options)
    found = []
    for piece in chunked(body, sizes):
        found += decoder.feed(piece)
    return found, decoder.close()


def kind(failure):
    return failure and failure.kind


sizes = st.lists(st.integers(1, 40), min_size=1, max_size=5) | st.just([PIECE])


@settings(deadline=None)
@given(messages, sizes, st.booleans(), st.sampled_from([None, 0, 2]))
def test_any_list_in_any_pieces_gives_the_messages_of_json_loads(sent, pieces, ascii_only, indent):
    assert decode(write(sent, ascii_only, indent), pieces) == (sent, None)


@settings(deadline=None)
@given(st.dictionaries(text, values, max_size=5), sizes)
def test_one_bare_message_is_a_list_of_one(message, pieces):
    assert decode(write(message), pieces) == ([message], None)


@settings(deadline=None)
@given(messages.filter(bool), st.data(), sizes)
def test_a_body_cut_anywhere_gives_the_messages_complete_before_the_cut(sent, data, pieces):
    body = write(sent)
    cut = data.draw(st.integers(0, len(body) - 1))
    ends = [len(write(sent[:count])) - 1 for count in range(1, len(sent) + 1)]
    complete = sum(end <= cut for end in ends)
    found, failure = decode(body[:cut], pieces)
    assert found == sent[:complete]
    assert kind(failure) is (FailureKind.TRUNCATED if cut else FailureKind.EMPTY)


fragments = st.lists(
    st.binary(max_size=4)
    | st.sampled_from(
        [b'[', b']', b'{', b'}', b'{}', b',', b'"', b'\\', b' ', b':', b'1', b'\xef\xbb\xbf', b'[{}']
    ),
    max_size=12,
).map(b''.join)


@settings(deadline=None)
@given(fragments, sizes)
@example(b'[{}]\xff', [PIECE])
@example(b'[{}]\xe2', [PIECE])
@example(b'\xef\xbb\xbf\xef\xbb\xbf[]', [3])
def test_any_bytes_end_in_success_or_one_failure_and_pieces_make_no_difference(body, pieces):
    found, failure = decode(body, pieces)
    again, same = decode(body)
    assert (found, kind(failure)) == (again, kind(same))
    if failure is None:
        value = json.loads(body)
        assert found == (value if isinstance(value, list) else [value])


@pytest.mark.defect('D11')
@pytest.mark.parametrize('text', [b'"[{}]"', b'["{}"]'])
def test_a_string_is_never_taken_for_a_list_of_messages(text):
    found, failure = decode(text)
    assert found == []
    assert kind(failure) in (FailureKind.NOT_JSON, FailureKind.MALFORMED)


def test_a_message_leaves_with_its_last_byte():
    decoder = MessageDecoder()
    assert decoder.feed(b'[{"a":1') == []
    assert decoder.feed(b'}') == [{'a': 1}]
    assert decoder.feed(b',{"b":2},{"c"') == [{'b': 2}]


@pytest.mark.parametrize(
    ('body', 'found', 'expected'),
    [
        (b'', [], FailureKind.EMPTY),
        (b' \r\n\t', [], FailureKind.EMPTY),
        (b'\xef\xbb\xbf', [], FailureKind.EMPTY),
        (b'[', [], FailureKind.TRUNCATED),
        (b'[{}', [{}], FailureKind.TRUNCATED),
        (b'[{},', [{}], FailureKind.TRUNCATED),
        (b'\xef\xbb', [], FailureKind.TRUNCATED),
        (b'<html>', [], FailureKind.NOT_JSON),
        (b'"text"', [], FailureKind.NOT_JSON),
        (b'null', [], FailureKind.NOT_JSON),
        (b'\x1f\x8b', [], FailureKind.NOT_JSON),
        (b'[{}, 1]', [{}], FailureKind.MALFORMED),
        (b'[{}, [{}]]', [{}], FailureKind.MALFORMED),
        (b'[null]', [], FailureKind.MALFORMED),
        (b'[{},]', [{}], FailureKind.MALFORMED),
        (b'[,{}]', [], FailureKind.MALFORMED),
        (b'[{} {}]', [{}], FailureKind.MALFORMED),
        (b'[{}]]', [{}], FailureKind.MALFORMED),
        (b'[{}][{}]', [{}], FailureKind.MALFORMED),
        (b'{}{}', [{}], FailureKind.MALFORMED),
        (b'{},{}', [{}], FailureKind.MALFORMED),
        (b'[{}]<!-- proxy -->', [{}], FailureKind.MALFORMED),
        (b'[{},{"a":}]', [{}], FailureKind.MALFORMED),
        (b'[{},{"a":[}]', [{}], FailureKind.MALFORMED),
        (b'[{},{"a":"\xff"}]', [{}], FailureKind.MALFORMED),
        (b'[{}]\xff', [{}], FailureKind.MALFORMED),
        (b'[]', [], None),
        (b' \xef\xbb\xbf[]', [], FailureKind.NOT_JSON),
        (b'\xef\xbb\xbf [ {} , {} ] \n', [{}, {}], None),
        (b'[{"a":1,"a":2}]', [{'a': 2}], None),
        (b'[{"a":"\\ud800"}]', [{'a': '\ud800'}], None),
    ],
)
@pytest.mark.parametrize('size', [1, 2, PIECE])
def test_what_is_wrong_with_a_body_is_named_after_the_messages_before_it(body, found, expected, size):
    messages, failure = decode(body, [size])
    assert (messages, kind(failure)) == (found, expected)


@pytest.mark.parametrize(
    ('value', 'reason'), [(b'[' * 100_000 + b']' * 100_000, 'nested too deeply'), (b'1' * 5000, '4300')]
)
def test_a_message_of_good_syntax_that_cannot_be_decoded_does_not_cost_the_next_one(value, reason):
    found, failure = decode(b'[{},{"channel":"/a","data":' + value + b'},{"b":1}]')
    assert failure is None
    assert (found[0], found[2]) == ({}, {'b': 1})
    assert reason in found[1].reason


def test_not_a_number_and_infinity_are_accepted():
    found, failure = decode(b'[{"a":Infinity,"b":NaN},{}]')
    assert failure is None
    assert found[0]['a'] == float('inf')
    assert found[0]['b'] != found[0]['b']
    assert found[1] == {}


def test_after_a_failure_further_input_is_ignored():
    decoder = MessageDecoder()
    assert decoder.feed(b'<html>') == []
    assert kind(decoder.failure) is FailureKind.NOT_JSON
    assert decoder.feed(b'[{}]') == []
    assert kind(decoder.close()) is FailureKind.NOT_JSON


def test_a_foreign_codec_may_raise_what_it_likes():
    def refuse(text):
        raise ArithmeticError(text)

    found, failure = decode(b'[{"a":1}]', decode=refuse)
    assert failure is None
    assert [type(each) for each in found] == [Unkept]


# --- messages above the limit ---------------------------------------------------------------------


@pytest.mark.parametrize('size', [1, 7, 100, PIECE])
@pytest.mark.parametrize(
    ('message', 'channel'),
    [
        ({'channel': '/topic/a', 'data': {'x': 'é"}' * 3000}}, '/topic/a'),
        ({'id': '1', 'ok': True, 'n': 1.5, 'channel': '/topic/a', 'data': 'x' * 9000}, '/topic/a'),
        ({'data': {'channel': '/wrong', 'x': 'y' * 9000}, 'channel': '/topic/a'}, '/topic/a'),
        ({'data': {'x': 'y' * 9000}, 'channel': '/topic/a', 'id': 'x', 'n': None}, '/topic/a'),
        ({'data': {'x': 'y' * 9000, 'channel': '/wrong'}}, None),
        ({'data': {'channel': '/wrong', 'x': 'y' * 9000}, 'other': 1}, None),
    ],
)
def test_a_message_above_the_limit_is_reported_and_the_next_one_delivered(message, channel, size):
    before, after = {'a': 1}, {'b': 2}
    found, failure = decode(write([before, message, after]), [size], message_limit=5000)
    assert failure is None
    assert [found[0], found[2]] == [before, after]
    whole = write(message).decode()
    reason = 'it is longer than message_limit, 5000 characters'
    assert found[1] == Unkept(len(whole), reason, whole[:2048], channel)


@pytest.mark.parametrize('size', [1, PIECE])
def test_the_limit_counts_characters_and_is_still_kept(size):
    message = {'a': 'é' * 100}
    length = len(write(message).decode())
    assert decode(write([message]), [size], message_limit=length) == ([message], None)
    (over,), _ = decode(write([message]), [size], message_limit=length - 1)
    assert isinstance(over, Unkept)


def test_a_channel_that_is_no_json_string_is_none():
    found, _ = decode(b'[{"channel":"\\x","data":"' + b'y' * 5000 + b'"}]', message_limit=100)
    assert found[0].channel is None


def test_a_message_above_the_limit_that_breaks_off_is_truncated():
    found, failure = decode(b'[{},{"a":"' + b'x' * 9000, message_limit=1000)
    assert found == [{}]
    assert kind(failure) is FailureKind.TRUNCATED


def test_the_channel_of_a_hostile_head_is_sought_in_linear_time():
    head = '{' + ','.join(f'"{n}" :  {n}  ' for n in range(150)) + ', "x":  "\\'
    start = time.process_time()
    found, _ = decode(f'[{head}"{"y" * 5000}"}}]'.encode(), message_limit=100)
    assert isinstance(found[0], Unkept)
    assert time.process_time() - start < 1


# --- cost -----------------------------------------------------------------------------------------


def cost(body, size):
    """The best of three, in seconds of CPU."""
    best = float('inf')
    for _ in range(3):
        start = time.process_time()
        decode(body, [size])
        best = min(best, time.process_time() - start)
    return best


@pytest.mark.parametrize('value', ['x' * 1000, '\\"' * 500, '{"' * 500, [{}] * 300])
@pytest.mark.parametrize('size', [64, PIECE])
def test_a_long_message_in_pieces_costs_linear_time(value, size):
    short, long = write([{'a': [value] * 150}]), write([{'a': [value] * 1500}])
    # Ten times as long; quadratic growth would be a hundred times as slow.
    assert cost(long, size) < 35 * max(cost(short, size), 0.0002)


@pytest.mark.parametrize('last', ['{"a":[}', '{"a":[{},{}', '{"a":' + '1' * 5000 + '}'])
def test_a_run_of_messages_that_is_none_costs_linear_time(last):
    short, long = (f'[{"{}," * count}{last}'.encode() for count in (1_000, 10_000))
    assert cost(long, PIECE) < 35 * max(cost(short, PIECE), 0.0002)


def test_memory_is_bounded_by_a_message_and_not_by_the_body():
    event = write({'channel': '/topic/a', 'data': {'x': 'y' * 400}})
    decoder = MessageDecoder()
    tracemalloc.start()
    try:
        decoder.feed(b'[' + event)
        for _ in range(300):
            decoder.feed((b',' + event) * 100)
        decoder.feed(b',{"over":"')
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    # 13 MB went through.
    assert peak < 1_000_000


def test_a_message_above_the_limit_is_not_kept_in_memory():
    decoder = MessageDecoder(message_limit=100_000)
    tracemalloc.start()
    try:
        decoder.feed(b'[{"a":"')
        for _ in range(500):
            decoder.feed(b'x' * PIECE)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 2_000_000


def test_it_counts_the_characters_that_it_took():
    decoder = MessageDecoder()
    body = '[{"data": "\u00e4"}, {"data": 1}]'.encode()
    for index in range(0, len(body), 7):
        decoder.feed(body[index : index + 7])
    assert decoder.characters == len(body.decode())
