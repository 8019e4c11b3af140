"""The fixtures of the tests of robustness."""

from tests.factories import tokenizer  # noqa: F401
