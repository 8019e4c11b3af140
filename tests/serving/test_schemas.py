"""Requests are checked strictly, and what is wrong is named."""

import pytest

pytest.importorskip("pydantic", reason="needs the extra [serve]: make extras")

from helpers.serving.errors import ServiceError
from helpers.serving.schemas import ChatRequest, CompletionRequest, read
from helpers.serving.settings import Settings

CHAT = {"model": "gpt", "messages": []}
TEXT = {"model": "gpt", "prompt": "Once"}


def chat(**fields):
    return read(ChatRequest, {**CHAT, **fields}, Settings())


def text(**fields):
    return read(CompletionRequest, {**TEXT, **fields}, Settings())


def test_null_is_the_usual_value():
    names = set(ChatRequest.model_fields) - {"model", "messages"}
    assert chat(**dict.fromkeys(names)) == chat()
    names = set(CompletionRequest.model_fields) - {"model", "prompt"}
    assert text(**dict.fromkeys(names)) == text()


@pytest.mark.parametrize(
    "fields",
    [
        {"temperature": 0}, {"temperature": 2}, {"top_p": 1}, {"n": 8}, {"seed": -(2**63)}, {"max_tokens": 1_000},
        {"stop": ["a", "b", "c", "d"]}, {"stop": "x" * 200}, {"stream": True, "stream_options": {"include_usage": True}},
        {"logprobs": True, "top_logprobs": 20}, {"presence_penalty": 0, "frequency_penalty": 0.0, "logit_bias": {}},
        {"user": "anna", "metadata": {"a": "b"}}, {"response_format": {"type": "text"}}, {"tools": [], "tool_choice": "none"},
        {"max_tokens": 5, "max_completion_tokens": 5}, {"top_k": 0, "repetition_penalty": 1.3},
    ],
)  # fmt: skip
def test_what_is_right_passes(fields):
    chat(**fields)


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"model": None}, "model"), ({"model": 5}, "model"), ({"model": "x" * 201}, "model"),
        ({"temperature": -0.1}, "temperature"), ({"temperature": 2.1}, "temperature"), ({"temperature": "1"}, "temperature"),
        ({"temperature": True}, "temperature"), ({"temperature": [1]}, "temperature"), ({"temperature": {}}, "temperature"),
        ({"temperature": float("nan")}, "temperature"), ({"top_p": 0}, "top_p"), ({"top_p": 1.01}, "top_p"),
        ({"top_p": float("inf")}, "top_p"), ({"n": 0}, "n"), ({"n": 9}, "n"), ({"n": 1.5}, "n"), ({"n": "1"}, "n"),
        ({"n": True}, "n"), ({"max_tokens": 0}, "max_tokens"), ({"max_tokens": 10**9}, "max_tokens"),
        ({"max_tokens": -1}, "max_tokens"), ({"max_completion_tokens": 0}, "max_completion_tokens"),
        ({"max_completion_tokens": 10**9}, "max_completion_tokens"),
        ({"max_tokens": 5, "max_completion_tokens": 6}, "max_tokens"),
        ({"seed": 2**63}, "seed"), ({"seed": 10**30}, "seed"), ({"seed": 1.0}, "seed"), ({"stream": "true"}, "stream"),
        ({"stream": 1}, "stream"), ({"stop": ""}, "stop"), ({"stop": [""]}, "stop"), ({"stop": ["a"] * 5}, "stop"),
        ({"stop": 5}, "stop"), ({"stop": [5]}, "stop"), ({"stop": "x" * 201}, "stop"), ({"stop": {"a": 1}}, "stop"),
        ({"stop": "\ud83d"}, "stop"), ({"stream_options": {"include_usage": True}}, "stream_options"),
        ({"stream": True, "stream_options": {"usage": True}}, "stream_options.usage"), ({"top_logprobs": 2}, "top_logprobs"),
        ({"logprobs": True, "top_logprobs": 21}, "top_logprobs"), ({"logprobs": 1}, "logprobs"),
        ({"presence_penalty": 0.5}, "presence_penalty"), ({"frequency_penalty": -1}, "frequency_penalty"),
        ({"logit_bias": {"50": 1}}, "logit_bias"), ({"tools": [{}]}, "tools"), ({"store": True}, "store"),
        ({"response_format": {"type": "json_object"}}, "response_format"), ({"temprature": 1}, "temprature"),
        ({"top_k": -1}, "top_k"), ({"repetition_penalty": 0.5}, "repetition_penalty"), ({"echo": True}, "echo"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_named(fields, param):
    with pytest.raises(ServiceError) as error:
        chat(**fields)
    assert error.value.status == 400 and error.value.param == param and error.value.message.startswith(f"{param}: ")


def test_a_field_that_is_missing_is_named():
    for kind, fields in ((ChatRequest, CHAT), (CompletionRequest, TEXT)):
        for name in fields:
            with pytest.raises(ServiceError) as error:
                read(kind, {key: value for key, value in fields.items() if key != name}, Settings())
            assert error.value.param == name


@pytest.mark.parametrize("name", ["\ud83d", "x" * 10_000, "ü", "a\nb"])
def test_a_strange_name_of_a_field_is_refused(name):
    with pytest.raises(ServiceError) as error:
        chat(**{name: 1})
    assert error.value.status == 400 and len(error.value.message) < 200 and error.value.message.isprintable()


def test_a_wrong_value_is_not_repeated():
    with pytest.raises(ServiceError) as error:
        chat(temperature="my secret")
    assert "secret" not in error.value.message


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"prompt": ["a", "b"]}, "prompt"), ({"prompt": [1, 2]}, "prompt"), ({"prompt": None}, "prompt"),
        ({"prompt": "\ud83d"}, "prompt"),
    ],
)  # fmt: skip
def test_a_prompt_is_one_text(fields, param):
    with pytest.raises(ServiceError) as error:
        text(**fields).text()
    assert error.value.param == param
    assert text(prompt=["Once"]).text() == text().text() == "Once"


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"echo": True}, "echo"),
        ({"best_of": 2}, "best_of"),
        ({"suffix": "."}, "suffix"),
        ({"logprobs": True}, "logprobs"),
    ],
)
def test_what_a_completion_cannot_do_is_named(fields, param):
    with pytest.raises(ServiceError) as error:
        text(**fields)
    assert error.value.param == param


def test_limits_are_those_of_the_settings():
    narrow = Settings(max_choices=2, max_tokens=10)
    read(ChatRequest, {**CHAT, "n": 2, "max_tokens": 10}, narrow)
    for wrong in ({"n": 3}, {"max_tokens": 11}):
        with pytest.raises(ServiceError):
            read(ChatRequest, {**CHAT, **wrong}, narrow)


def test_what_the_engine_is_asked():
    wanted = chat(max_completion_tokens=7, stop="a", logprobs=True)
    assert (wanted.limit(), wanted.stops(), wanted.alternatives()) == (7, ("a",), 0)
    assert chat(logprobs=True, top_logprobs=3).alternatives() == 3 and chat(logprobs=False).alternatives() is None
    assert chat(max_tokens=3).limit() == 3 and chat().limit() is None and chat().stops() == ()
    assert text(logprobs=0).alternatives() == 0 and text().alternatives() is None
