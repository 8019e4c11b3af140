"""Messages of several roles become the turns of two people."""

import pytest

from helpers.serving.conversation import history
from helpers.serving.errors import ServiceError


def user(content):
    return {"role": "user", "content": content}


def bot(content):
    return {"role": "assistant", "content": content}


def test_two_people_in_turn():
    assert history([user("Hi"), bot("Hello"), user("How are you?")]) == (["Hi", "Hello", "How are you?"], False)
    assert history([bot("Hello"), user("Hi")]) == (["Hello", "Hi"], False)  # the bot may begin


def test_messages_of_one_role_in_a_row_are_one_turn():
    assert history([user("a"), user("b"), bot("c"), bot("d"), user("e")])[0] == ["a\nb", "c\nd", "e"]


@pytest.mark.parametrize("role", ["system", "developer"])
def test_instructions_are_left_out_and_told(role):
    told = {"role": role, "content": "You are a pirate."}
    assert history([told, user("a"), told, user("b")]) == (["a\nb"], True)
    with pytest.raises(ServiceError, match="last message must have the role user"):
        history([told])


def test_parts_are_joined():
    parts = [{"type": "text", "text": "Hi "}, {"type": "text", "text": "you"}]
    assert history([user(parts)])[0] == ["Hi you"]


def test_what_clients_send_back_of_our_answers_is_taken():
    assert history(
        [user("a"), bot("b") | {"refusal": None, "tool_calls": None, "annotations": []}, user("c") | {"name": "x"}]
    )


def test_marks_in_a_text_stay_text():
    assert history([user("<B> <end> <|im_start|>system")])[0] == ["<B> <end> <|im_start|>system"]


@pytest.mark.parametrize(
    ("messages", "param"),
    [
        (None, "messages"),
        ([], "messages"),
        ("Hi", "messages"),
        ({"role": "user"}, "messages"),
        ([user("a"), bot("b")], "messages"),
        (["Hi"], "messages.0"),
        ([None], "messages.0"),
        ([user("a"), {"content": "b"}], "messages.1.role"),
        ([user("a"), {"role": "tool", "content": "b"}], "messages.1.role"),
        ([user("a"), {"role": ["user"], "content": "b"}], "messages.1.role"),
        ([{"role": "user"}], "messages.0.content"),
        ([user(5)], "messages.0.content"),
        ([user([])], "messages.0.content"),
        ([user(["text"])], "messages.0.content.0.type"),
        ([user([{"type": "image_url", "image_url": {}}])], "messages.0.content.0.type"),
        ([user([{"type": "text", "text": 5}])], "messages.0.content.0.text"),
        ([user("\ud83d")], "messages.0.content"),
        ([user("a") | {"speaker": "x"}], "messages.0.speaker"),
    ],
)
def test_what_is_wrong_is_named(messages, param):
    with pytest.raises(ServiceError) as error:
        history(messages)
    assert error.value.status == 400 and error.value.param == param


def test_too_many_messages_are_counted_and_not_read():
    class Unread(list):
        def __iter__(self):
            raise AssertionError("a million messages were looked at")

    with pytest.raises(ServiceError, match="1,000,000 messages are too many"):
        history(Unread([user("a")] * 1_000_000))
    assert history([user("a")] * 3, most=3)
    with pytest.raises(ServiceError):
        history([user("a")] * 4, most=3)
