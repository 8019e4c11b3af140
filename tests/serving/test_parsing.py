"""A body is JSON in the strict sense, or a 400 that says why."""

import pytest

from helpers.serving.errors import ServiceError
from helpers.serving.parsing import parse_object


def test_an_object_is_parsed():
    assert parse_object('{"a": [1, 2.5, null, "ü"]}'.encode()) == {"a": [1, 2.5, None, "ü"]}
    assert parse_object(b'\xef\xbb\xbf{"a": 1}') == {"a": 1}  # some programs write a mark at the beginning


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"", "no JSON"),
        (b"{", r"no JSON \(line 1, column 2\)"),
        (b"[1]", "must be a JSON object"),
        (b"null", "must be a JSON object"),
        (b'{"a": NaN}', "NaN is no number"),
        (b'{"a": -Infinity}', "-Infinity is no number"),
        (b'{"a": 1e999}', "too large"),
        (b'{"a": 1' + b"0" * 30 + b"}", "too large"),
        (b'{"a": ' + b"9" * 1_000_000 + b"}", "too large"),  # int() would refuse it, or take seconds
        (b'{"a": "\xff"}', "no UTF-8"),
        (b'{"a": ' + b"[" * 100_000 + b"]" * 100_000 + b"}", "nested too deep"),
        (b'{"a":' * 100_000 + b"1" + b"}" * 100_000, "nested too deep"),
    ],
)
def test_anything_else_is_refused(body, words):
    with pytest.raises(ServiceError, match=words) as error:
        parse_object(body)
    assert error.value.status == 400
