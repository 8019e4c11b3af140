"""From bots to an app."""

import pytest

pytest.importorskip("fastapi", reason="needs the extra [serve]: make extras")

from helpers.serving.app import create_app
from helpers.serving.settings import Settings
from tests.serving.asgi import asked
from tests.serving.stub_engine import StubEngine


class Named(StubEngine):
    def __init__(self, name):
        super().__init__((name,))
        self.name = name


def test_several_bots_by_their_names():
    for bots in (
        [Named("rnn"), Named("gpt")],
        {"rnn": Named("rnn"), "gpt": Named("gpt")},
        iter([Named("rnn"), Named("gpt")]),
    ):
        app = create_app(bots)
        assert [model["id"] for model in asked(app, path="/v1/models").json()["data"]] == ["rnn", "gpt"]
        for name in ("rnn", "gpt"):
            body = {"model": name, "messages": [{"role": "user", "content": "Hi"}]}
            answer = asked(app, "POST", "/v1/chat/completions", body).json()
            assert answer["choices"][0]["message"]["content"] == name
        app.state.service.close()


@pytest.mark.parametrize("bots", [[], {}, [Named("gpt"), Named("gpt")]])
def test_no_bot_and_two_of_one_name_are_refused(bots):
    with pytest.raises(ValueError, match="at least one bot"):
        create_app(bots)


def test_a_log_that_cannot_be_written_is_a_sentence(tmp_path):
    with pytest.raises(OSError, match="cannot write"):
        create_app([Named("gpt")], Settings(log=tmp_path / "nowhere" / "log"))


def test_two_apps_share_nothing():
    one, other = create_app([Named("gpt")]), create_app([Named("gpt")])
    one.state.service.drain()
    assert asked(one, path="/health/ready").status == 503 and asked(other, path="/health/ready").status == 200


def test_the_engines_stop_with_the_app():
    import asyncio

    engine = Named("gpt")
    app = create_app([engine])

    async def live():
        async with app.router.lifespan_context(app):
            assert not engine.closed

    asyncio.run(live())
    assert engine.closed
