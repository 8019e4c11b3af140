"""The shared fixtures of ``tests.factories``."""

from tests.factories import tokenizer  # noqa: F401
