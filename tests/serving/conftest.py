"""An app on an engine that says what a test wants, and its log."""

import io
import json

import pytest


class Place:
    """An app in this process: ``app``, its ``engine``, and the lines of its ``log``."""

    def __init__(self, engine=None, **settings):
        from helpers.serving.app import create_app
        from helpers.serving.settings import Settings
        from tests.serving.stub_engine import StubEngine

        self.engine, self._log = engine or StubEngine(), io.StringIO()
        self.app = create_app({"gpt": self.engine}, Settings(**{"log": self._log, **settings}))
        self.service = self.app.state.service

    @property
    def written(self) -> str:
        return self._log.getvalue()

    @property
    def log(self) -> list[dict]:
        return [json.loads(line) for line in self.written.splitlines()]

    def ask(self, *arguments, **settings):
        from tests.serving.asgi import asked

        return asked(self.app, *arguments, **settings)

    def chat(self, content="Hi there", headers=(), **fields):
        """Ask for a chat; ``content`` is the user's message, the other fields are those of the request."""
        message = {"messages": [{"role": "user", "content": content}]}
        return self.ask("POST", "/v1/chat/completions", {"model": "gpt", **message, **fields}, headers=headers)

    def metric(self, name: str, **labels) -> float | None:
        return self.service.metrics.registry.get_sample_value(name, labels)


@pytest.fixture
def place():
    """A function that returns a Place; its engines end with the test."""
    pytest.importorskip("fastapi", reason="needs the extra [serve]: make extras")
    places = []

    def new(engine=None, **settings) -> Place:
        places.append(Place(engine, **settings))
        return places[-1]

    yield new
    for one in places:
        one.service.close()
