"""The official client of OpenAI's API talks to our service as it talks to theirs."""

import time

import pytest

pytest.importorskip("fastapi", reason="needs the extra [serve]: make extras")
openai = pytest.importorskip("openai", reason="the client is not installed: make setup")

KEY = "sk-test"
HELLO = [{"role": "user", "content": "Hello"}]


@pytest.fixture(scope="module")
def bot():
    from helpers.bots.bot import Bot
    from helpers.corpus.tokenizers.bpe import BPETokenizer
    from tests import factories

    tokenizer = BPETokenizer([])
    return Bot(factories.gpt(len(tokenizer), "gpt2", std=0.3, context=64), tokenizer, "tiny")


@pytest.fixture(scope="module")
def address(bot):
    from helpers.serving.keys import digest
    from helpers.serving.server import serving
    from helpers.serving.settings import Settings

    with serving([bot], Settings(keys={"me": digest(KEY)}, notice=0, max_tokens=100_000)) as url:
        yield url


@pytest.fixture
def client(address):
    with openai.OpenAI(base_url=address + "/v1", api_key=KEY, max_retries=0, timeout=30) as client:
        yield client


def chat(client, messages=HELLO, **settings):
    return client.chat.completions.create(model="tiny", messages=messages, **{"max_tokens": 12, "seed": 1, **settings})


def gauge(address, name):
    from urllib.request import urlopen

    text = urlopen(address + "/metrics", timeout=10).read().decode()
    return float(next(line for line in text.splitlines() if line.startswith(name)).rsplit(" ", 1)[1])


def test_the_bots_are_listed(client):
    assert [model.id for model in client.models.list()] == ["tiny"]
    assert client.models.retrieve("tiny").object == "model"


def test_a_whole_answer_is_the_bots_reply(client, bot):
    answer = chat(client)
    assert answer.choices[0].message.content == bot.reply(["Hello"], seed=1, max_tokens=12)
    assert answer.choices[0].message.role == "assistant" and answer.choices[0].finish_reason in ("stop", "length")
    usage = answer.usage
    assert usage.prompt_tokens == len(bot.prompt(["Hello"])) and 1 <= usage.completion_tokens <= 12
    assert usage.total_tokens == usage.prompt_tokens + usage.completion_tokens


def test_a_conversation_of_several_turns(client, bot):
    said = ["Hi", "What's up?", "Not much"]
    roles = ("user", "assistant", "user")
    answer = chat(client, [{"role": role, "content": text} for role, text in zip(roles, said)], temperature=0)
    assert answer.choices[0].message.content == bot.reply(said, temperature=0, max_tokens=12)


def test_a_stream_says_the_same_piece_by_piece(client):
    whole = chat(client)
    chunks = list(chat(client, stream=True, stream_options={"include_usage": True}))
    text = "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices)
    assert text == whole.choices[0].message.content
    assert [chunk.usage for chunk in chunks[:-1]] == [None] * (len(chunks) - 1)
    assert chunks[-1].choices == [] and chunks[-1].usage == whole.usage
    assert [chunk.choices[0].finish_reason for chunk in chunks[:-1]][-1] == whole.choices[0].finish_reason
    assert len({chunk.id for chunk in chunks}) == 1 and len(chunks) > 4


def test_stop_strings_are_not_said(client):
    whole = chat(client, max_tokens=40, temperature=1).choices[0].message.content
    stop = whole[4:7]
    answer = chat(client, max_tokens=40, temperature=1, stop=[stop])
    assert answer.choices[0].finish_reason == "stop"
    assert answer.choices[0].message.content.rstrip() == whole[: whole.index(stop)].rstrip()
    chunks = list(chat(client, max_tokens=40, temperature=1, stop=stop, stream=True))
    streamed = "".join(chunk.choices[0].delta.content or "" for chunk in chunks)
    assert streamed == answer.choices[0].message.content


def test_several_replies_and_their_seeds(client):
    answer = chat(client, n=3, temperature=1)
    texts = [choice.message.content for choice in answer.choices]
    assert [choice.index for choice in answer.choices] == [0, 1, 2] and len(set(texts)) == 3
    assert texts == [choice.message.content for choice in chat(client, n=3, temperature=1).choices]
    assert texts[1] == chat(client, seed=2, temperature=1).choices[0].message.content
    chunks = list(chat(client, n=3, temperature=1, stream=True))
    assert {chunk.choices[0].index for chunk in chunks} == {0, 1, 2}


def test_log_probabilities(client):
    answer = chat(client, logprobs=True, top_logprobs=3, temperature=0, max_tokens=4)
    tokens = answer.choices[0].logprobs.content
    assert 1 <= len(tokens) <= 4
    for token in tokens:
        assert len(token.top_logprobs) == 3 and token.top_logprobs[0].logprob == pytest.approx(token.logprob, abs=1e-6)
        assert bytes(token.bytes).decode("utf-8", "replace") == token.token or "�" in token.token


def test_a_text_is_gone_on_with(client):
    answer = client.completions.create(model="tiny", prompt="Once", max_tokens=5, temperature=0, seed=0)
    assert isinstance(answer.choices[0].text, str) and answer.usage.prompt_tokens == 6
    chunks = list(client.completions.create(model="tiny", prompt="Once", max_tokens=5, temperature=0, stream=True))
    assert "".join(chunk.choices[0].text for chunk in chunks if chunk.choices) == answer.choices[0].text


@pytest.mark.parametrize(
    ("settings", "error", "param"),
    [
        ({"model": "gpt-9"}, openai.NotFoundError, "model"),
        ({"temperature": -1}, openai.BadRequestError, "temperature"),
        ({"max_tokens": 0}, openai.BadRequestError, "max_tokens"),
        ({"max_tokens": 10**9}, openai.BadRequestError, "max_tokens"),
        ({"messages": []}, openai.BadRequestError, "messages"),
        ({"n": 10_000}, openai.BadRequestError, "n"),
        ({"extra_body": {"wings": 2}}, openai.BadRequestError, "wings"),
    ],
    ids=["model", "temperature", "no tokens", "a billion tokens", "no messages", "n", "unknown"],
)
def test_errors_are_those_the_client_knows(client, settings, error, param):
    with pytest.raises(error) as caught:
        client.chat.completions.create(**{"model": "tiny", "messages": HELLO, **settings})
    assert caught.value.param == param and caught.value.response.headers["x-request-id"].startswith("req")


def test_without_the_key_nobody_comes_in(address):
    for key in ("sk-wrong", "sk-tes", KEY + "t"):
        with openai.OpenAI(base_url=address + "/v1", api_key=key, max_retries=0) as stranger:
            with pytest.raises(openai.AuthenticationError):
                chat(stranger)


def test_a_client_that_leaves_stops_the_work(client, address):
    stream = chat(client, max_tokens=100_000, stream=True, temperature=1, extra_body={"top_k": 100})
    next(iter(stream))
    # A tiny bot may end by itself: ask again until one is at work.
    for seed in range(2, 30):
        if gauge(address, "chat_requests_running"):
            break
        stream.close()
        stream = chat(client, max_tokens=100_000, stream=True, temperature=1, seed=seed)
        next(iter(stream))
    assert gauge(address, "chat_requests_running") > 0
    stream.close()
    last = time.monotonic() + 10
    while gauge(address, "chat_requests_running") and time.monotonic() < last:
        time.sleep(0.01)
    assert gauge(address, "chat_requests_running") == 0


def test_asynchronous_clients_share_the_batch(address, bot):
    import asyncio

    async def ask_all():
        async with openai.AsyncOpenAI(base_url=address + "/v1", api_key=KEY, max_retries=0) as client:
            return await asyncio.gather(*(chat(client, seed=seed, temperature=1) for seed in range(10)))

    texts = [answer.choices[0].message.content for answer in asyncio.run(ask_all())]
    assert texts == [bot.reply(["Hello"], seed=seed, temperature=1, max_tokens=12) for seed in range(10)]
