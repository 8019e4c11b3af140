"""The conversations of the course, loaded once."""

import pytest


@pytest.fixture(scope="session")
def chitchat():
    from helpers.corpus.load import load

    return load("chitchat")
