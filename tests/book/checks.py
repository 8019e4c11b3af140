"""The finished book in build/book/, held against every rule (`make test-book` builds it and runs this)."""

import pytest

from tests.book import check
from tests.notebooks import books

BOOK = books.ROOT / "build" / "book"


@pytest.mark.parametrize("rule", check.RULES, ids=lambda rule: rule.__name__)
def test_the_book_keeps(rule):
    assert BOOK.is_dir(), "there is no book yet: `make book` builds it"
    assert rule(BOOK) == []
