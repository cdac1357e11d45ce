"""Long answers to queries in pages, which all show the moment of the query. Pure.

Source: REST API Developer Guide, "Query" and "Query Options Header".
"""

import re
from typing import Any

from .org import Found, OrgError

__all__ = ['Pages', 'page_size']

LOCATORS_KEPT = 10  # of a user; older ones end, as documented
SMALLEST_BATCH = 200


class Pages:
    """Answers of which pages are still to be fetched."""

    def __init__(self) -> None:
        self._answers: dict[str, list[tuple[str, Found]]] = {}
        self._count = 0

    def first(self, found: Found, user_id: str, url: str, size: int) -> dict[str, Any]:
        """The first page of an answer, as REST shows it.

        Args:
            found: the whole answer.
            user_id: who may fetch the other pages.
            url: what comes before the locator in `nextRecordsUrl`.
            size: records in a page.
        """
        if len(found) <= size:
            return {'totalSize': found.total, 'done': True, 'records': list(found)}
        self._count += 1
        locator = f'01g{self._count:015d}'
        kept = self._answers.setdefault(user_id, [])
        kept.append((locator, found))
        del kept[:-LOCATORS_KEPT]
        return _page(found, locator, 0, url, size)

    def next(self, text: str, user_id: str, url: str, size: int) -> dict[str, Any]:
        """A further page.

        Args:
            text: the end of a `nextRecordsUrl`.
            user_id, url, size: as for `first`.
        Raises:
            OrgError: `INVALID_QUERY_LOCATOR`.
        """
        locator, _, offset = text.rpartition('-')
        found = dict(self._answers.get(user_id, ())).get(locator)
        # More digits than an answer can have records: Python refuses to read thousands of them.
        if found is None or not re.fullmatch(r'\d{1,9}', offset) or int(offset) >= len(found):
            raise OrgError('INVALID_QUERY_LOCATOR', 'invalid query locator')
        return _page(found, locator, int(offset), url, size)


def page_size(options: str, limit: int) -> int:
    """Records in a page, between 200 and the limit, or below if the limit is.

    Args:
        options: the header `Sforce-Query-Options`; what is not understood is ignored.
        limit: records in a page at most.
    """
    wanted = re.fullmatch(r'\s*batchSize\s*=\s*(\d{1,9})\s*', options)
    return limit if wanted is None else min(limit, max(SMALLEST_BATCH, int(wanted[1])))


def _page(found: Found, locator: str, start: int, url: str, size: int) -> dict[str, Any]:
    end = start + size
    page: dict[str, Any] = {'totalSize': found.total, 'done': end >= len(found)}
    if not page['done']:
        page['nextRecordsUrl'] = f'{url}/{locator}-{end}'
    return {**page, 'records': found[start:end]}
