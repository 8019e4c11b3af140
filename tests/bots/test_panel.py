"""The panel: every bot under its letter, each in a conversation of its own, in an order that tells nothing."""

import pytest

from helpers.bots.panel import Panel, blind
from helpers.show.chatbox import ChatBox


class Echo:
    """A bot that says what it was given."""

    def __init__(self, name):
        self.name = name

    def reply(self, history, temperature=0.7):
        return f"{self.name}@{temperature} {list(history)}\nbye"


def test_the_letters_hide_the_names_and_all_are_there():
    bots = {name: Echo(name) for name in ("rnn", "gpt", "n-gram", "dpo")}
    letters = blind(bots, seed=1)
    assert list(letters) == ["A", "B", "C", "D"] and sorted(letters.values()) == sorted(bots)
    assert letters == blind(bots, seed=1)
    assert len({tuple(blind(bots, seed).values()) for seed in range(20)}) > 10


@pytest.mark.parametrize("bots", [{}, {str(number): None for number in range(27)}])
def test_a_blind_test_needs_bots_and_letters(bots):
    with pytest.raises(ValueError, match="1 to 26"):
        blind(bots)


def test_every_bot_answers_in_its_own_line():
    panel = Panel({"A": Echo("a"), "B": Echo("b")})
    assert panel.reply(["Hi"], temperature=1) == "A: a@1 ['Hi'] / bye\nB: b@1 ['Hi'] / bye"
    assert list(panel.replies(["Hi"])) == ["A", "B"]


def test_later_each_bot_is_given_its_own_earlier_replies_alone():
    panel = Panel({"A": Echo("a"), "B": Echo("b")})
    first = panel.reply(["Hi"])
    second = panel.replies(["Hi", first, "And now?"])
    assert second["B"] == f"b@0.7 {['Hi', 'b@0.7 ' + str(['Hi']) + chr(10) + 'bye', 'And now?']}\nbye"
    assert "a@" not in second["B"]


def test_an_empty_reply_is_said_to_be_empty():
    silent = Echo("s")
    silent.reply = lambda history: ""
    assert Panel({"A": silent}).reply(["Hi"]) == "A: (an empty reply)"


def test_a_chat_box_talks_to_a_panel():
    box = ChatBox(Panel({"A": Echo("a"), "B": Echo("b")}), name="A and B", temperature=0.5)
    box.send("Hello")
    assert "A: a@0.5 ['Hello'] / bye\nB: b@0.5" in box.transcript


@pytest.mark.parametrize("bots", [{}, {"A: 1": None}, {"A\n": None}])
def test_names_that_cannot_be_told_apart_are_refused(bots):
    with pytest.raises(ValueError, match="without a colon"):
        Panel(bots)
