"""The shapes of answers, whole and in chunks."""

import json

from helpers.serving.answers import Reply, Scored, Shape, Usage, model_card

SCORED = [
    Scored("Hé", "Hé".encode(), -0.5, [("Hé", "Hé".encode(), -0.5), ("x", b"x", -2.0)]),
    Scored("llo", b"llo", -1.0),
]
TOKEN = {"token": "Hé", "logprob": -0.5, "bytes": [72, 195, 169]}
CHAT, TEXT = Shape(True, "chatcmpl_1", "gpt", 7), Shape(False, "cmpl_1", "gpt", 7)


def test_a_whole_chat():
    body = CHAT.whole([Reply("Hi", None, "stop"), Reply("Ho", None, "length")], Usage(3, 2))
    assert {name: body[name] for name in ("id", "object", "created", "model")} == {
        "id": "chatcmpl_1", "object": "chat.completion", "created": 7, "model": "gpt",
    }  # fmt: skip
    assert [choice["message"]["content"] for choice in body["choices"]] == ["Hi", "Ho"]
    assert [choice["index"] for choice in body["choices"]] == [0, 1]
    assert [choice["finish_reason"] for choice in body["choices"]] == ["stop", "length"]
    assert body["usage"] == {"prompt_tokens": 3, "completion_tokens": 2, "total_tokens": 5}


def test_log_probabilities_of_a_chat():
    (choice,) = CHAT.whole([Reply("Héllo", SCORED, "stop")], Usage())["choices"]
    first, second = choice["logprobs"]["content"]
    assert first == {**TOKEN, "top_logprobs": [TOKEN, {"token": "x", "logprob": -2.0, "bytes": [120]}]}
    assert second["top_logprobs"] == []


def test_a_whole_completion_and_its_log_probabilities():
    body = TEXT.whole([Reply("Héllo", SCORED, "stop")], Usage(1, 2))
    (choice,) = body["choices"]
    assert body["object"] == "text_completion" and choice["text"] == "Héllo" and "message" not in choice
    assert choice["logprobs"] == {
        "tokens": ["Hé", "llo"], "token_logprobs": [-0.5, -1.0], "top_logprobs": [{"Hé": -0.5, "x": -2.0}, {}],
        "text_offset": [0, 2],
    }  # fmt: skip


def test_chunks():
    assert CHAT.opening(1)["choices"] == [
        {"index": 1, "delta": {"role": "assistant", "content": ""}, "logprobs": None, "finish_reason": None}
    ]
    (choice,) = CHAT.piece(1, Reply("Hi"))["choices"]
    assert choice == {"index": 1, "delta": {"content": "Hi"}, "logprobs": None, "finish_reason": None}
    (choice,) = CHAT.piece(0, Reply("", None, "stop"))["choices"]
    assert choice["delta"] == {} and choice["finish_reason"] == "stop"
    (choice,) = TEXT.piece(0, Reply("Hi"))["choices"]
    assert choice == {"text": "Hi", "index": 0, "logprobs": None, "finish_reason": None}
    assert CHAT.piece(0, Reply("a"))["object"] == "chat.completion.chunk"
    assert TEXT.piece(0, Reply("a"))["object"] == "text_completion"
    totals = CHAT.totals(Usage(1, 2))
    assert totals["choices"] == [] and totals["usage"]["total_tokens"] == 3 and "usage" not in CHAT.opening(0)


def test_a_reply_grows_piece_by_piece():
    plain, scored = Reply(), Reply(scored=[])
    for piece in (Reply("Hé", SCORED[:1]), Reply("llo", SCORED[1:]), Reply("", [], "stop")):
        assert plain.add(piece).scored is None  # nobody asked
        assert scored.add(piece).scored == piece.scored
    assert plain == Reply("Héllo", None, "stop") and scored == Reply("Héllo", SCORED, "stop")


def test_a_model():
    assert model_card("gpt", 7) == {"id": "gpt", "object": "model", "created": 7, "owned_by": "one-conversation"}


def test_impossible_tokens_can_be_told_in_json():
    never = Scored("a", b"a", float("-inf"), [("b", b"b", float("-inf")), ("c", b"c", -1.0)])
    body = CHAT.whole([Reply("a", [never], "stop")], Usage())
    assert json.dumps(body, allow_nan=False) and never.logprob == -9999 and never.top[1][2] == -1


def test_half_a_character_has_bytes_of_its_own():
    half = Scored("\N{REPLACEMENT CHARACTER}", b"\xf0\x9f", -1.0)
    (choice,) = CHAT.whole([Reply("", [half], "stop")], Usage())["choices"]
    assert choice["logprobs"]["content"][0]["bytes"] == [0xF0, 0x9F]
