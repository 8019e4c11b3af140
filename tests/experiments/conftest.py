"""The shared fixtures of ``tests.factories``."""

from tests.factories import bot, checkpoint_folder, tokenizer  # noqa: F401
