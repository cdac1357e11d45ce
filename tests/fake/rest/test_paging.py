"""Long answers to queries, page by page."""

import pytest
from fake_salesforce.org import Found, OrgError
from fake_salesforce.paging import LOCATORS_KEPT, Pages, page_size


def answer(size):
    return Found([{'Id': number} for number in range(size)], size)


def test_a_short_answer_is_done():
    page = Pages().first(answer(2), 'ada', '/query', 2)
    assert page == {'totalSize': 2, 'done': True, 'records': [{'Id': 0}, {'Id': 1}]}


def test_a_count_is_a_number_without_records():
    assert Pages().first(Found([], 7), 'ada', '/query', 2) == {'totalSize': 7, 'done': True, 'records': []}


def test_each_page_tells_where_the_next_one_is():
    pages = Pages()
    page, ids = pages.first(answer(5), 'ada', '/query', 2), []
    while not page['done']:
        ids.append([one['Id'] for one in page['records']])
        page = pages.next(page['nextRecordsUrl'].removeprefix('/query/'), 'ada', '/query', 2)
    assert (ids, page) == ([[0, 1], [2, 3]], {'totalSize': 5, 'done': True, 'records': [{'Id': 4}]})


def refused(pages, locator, user='ada'):
    with pytest.raises(OrgError) as refusal:
        pages.next(locator, user, '/query', 1)
    return refusal.value.code


def first(pages):
    return pages.first(answer(2), 'ada', '', 1)['nextRecordsUrl'][1:]


def test_unknown_locators_are_refused():
    pages = Pages()
    good = first(pages)
    locator = good.partition('-')[0]
    for wrong in (
        '',
        '-',
        'x',
        'x-1',
        locator,
        f'{locator}-',
        f'{locator}-2',
        f'{locator}-x',
        f'{locator}--1',
    ):
        assert refused(pages, wrong) == 'INVALID_QUERY_LOCATOR', wrong
    assert pages.next(good, 'ada', '', 1)['done']


def test_a_locator_belongs_to_its_user():
    pages = Pages()
    assert refused(pages, first(pages), 'grace') == 'INVALID_QUERY_LOCATOR'


def test_the_oldest_locators_of_a_user_end():
    pages = Pages()
    locators = [first(pages) for _ in range(LOCATORS_KEPT + 1)]
    assert refused(pages, locators[0]) == 'INVALID_QUERY_LOCATOR'
    assert all(pages.next(one, 'ada', '', 1)['done'] for one in locators[1:])


@pytest.mark.parametrize(
    ('options', 'limit', 'size'),
    [
        ('', 2000, 2000),
        ('batchSize=500', 2000, 500),
        (' batchSize = 500 ', 2000, 500),
        ('batchSize=1', 2000, 200),
        ('batchSize=9999', 2000, 2000),
        ('batchSize=500', 3, 3),
        ('batchsize', 2000, 2000),
    ],
)
def test_clients_may_ask_for_smaller_pages(options, limit, size):
    assert page_size(options, limit) == size
