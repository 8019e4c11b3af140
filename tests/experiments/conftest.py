"""The shared fixtures of ``tests.factories``."""

from tests.factories import bot, checkpoint_folder, preference_course, tokenizer  # noqa: F401
