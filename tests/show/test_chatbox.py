"""The chat: any bot with `reply`, by button or Enter, failures told, strangers' markup harmless."""

import warnings

import pytest

from helpers.show import ChatBox


class Mirror:
    """Asks back what it was told; remembers what it was given."""

    def reply(self, history, **settings):
        self.seen = (history, settings)
        if "crash" in history[-1]:
            raise RuntimeError("out of <memory>")
        return f"Why do you say “{history[-1]}”?"


@pytest.fixture
def box():
    return ChatBox(Mirror(), name="Mirror")


def test_a_conversation_and_its_transcript(box, shown):
    assert repr(box) == "No message to Mirror yet."
    box.send("hello")
    box.send("  again ")
    assert (
        box.transcript
        == "You: hello\nMirror: Why do you say “hello”?\nYou: again\nMirror: Why do you say “again”?"
    )
    assert box.bot.seen == (["hello", "Why do you say “hello”?", "again"], {})
    box._ipython_display_()
    assert shown[0][0]["text/plain"] == repr(box) == box.transcript


def test_enter_and_button_send_and_empty_the_field(box):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        box.text.value = "by Enter"
    assert box.text.value == "" and box.text.continuous_update is False
    assert box.history == ["by Enter", "Why do you say “by Enter”?"]
    box.button.click()
    box.send("   ")
    assert len(box.history) == 2  # nothing was written: nothing is sent


def test_earlier_messages_take_turns():
    box = ChatBox(Mirror(), history=["Hello!", "Hi."])
    assert box.transcript == "You: Hello!\nBot: Hi."
    assert box.temperature is None


def test_a_temperature_slider_is_passed_on():
    box = ChatBox(Mirror(), temperature=0.7)
    box.send("a")
    assert box.bot.seen[1] == {"temperature": 0.7}
    for end in (box.temperature.min, box.temperature.max):
        box.temperature.value = end
        box.send("b")
        assert box.bot.seen[1] == {"temperature": end}


def test_a_failing_bot_is_told_and_the_conversation_goes_on(box):
    box.send("crash")
    assert box.transcript.endswith("Note: Mirror could not answer (RuntimeError): out of <memory>")
    assert "<memory>" not in box._log.value and "&lt;memory&gt;" in box._log.value
    box.send("better?")
    assert box.bot.seen[0] == ["better?"]  # what failed is not part of the history


def test_long_messages_are_cut_with_a_notice(box):
    box.send("x" * 700)
    assert "Note: your message had 700 characters, Mirror reads the first 500" in box.transcript
    assert len(box.bot.seen[0][0]) == 500


def test_what_strangers_type_is_shown_not_obeyed(box):
    box.send("<img src=x onerror=alert(1)>\x00 & 😀")
    assert "<img" not in box._log.value and "&lt;img" in box._log.value and "\x00" not in box._log.value


def test_the_newest_line_is_announced_alone(box):
    assert 'role="log"' in box._log.value and 'aria-live="off"' in box._log.value
    box.send("one")
    box.send("two")
    assert "Mirror: Why do you say “two”?" in box._aloud.value and "one" not in box._aloud.value
    assert 'aria-live="polite"' in box._aloud.value


def test_a_menu_of_bots_begins_a_conversation_with_each():
    first, second = Mirror(), Mirror()
    box = ChatBox({"first": first, "second": second}, name="second")
    box.send("hello")
    assert second.seen[0] == ["hello"] and box.transcript.startswith("You: hello\nsecond: ")
    box.menu.value = "first"
    assert repr(box) == "No message to first yet."
    box.send("again")
    assert first.seen[0] == ["again"]


def test_one_bot_needs_no_menu_and_none_is_refused():
    assert ChatBox({"only": Mirror()}).menu is None and ChatBox({"only": Mirror()}).name == "only"
    with pytest.raises(ValueError, match="no bot to talk to"):
        ChatBox({})
