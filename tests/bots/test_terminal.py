"""The chat in the terminal, typed by a list of lines."""

import io
import sys
import warnings

import pytest

from helpers.bots import checkpoints
from helpers.bots.terminal import HELP, main


@pytest.fixture
def saved(bot, checkpoint_folder):
    checkpoints.save(bot, {}, {})
    return checkpoints.load("rnn")


@pytest.fixture
def say(saved, capsys):
    """Type lines, and return what stands below the greeting."""

    def typed(*lines, arguments=("rnn", "--seed", "0")):
        assert main(list(arguments), lines=list(lines)) == 0
        greeting, _, rest = capsys.readouterr().out.partition("\n")
        assert greeting == f"rnn is here. {HELP}"
        return rest

    return typed


def expected(saved, *history, **settings):
    """What is printed for a reply: the same as the bot's own, as it streams."""
    return "rnn> " + "".join(saved.stream(list(history), **{"seed": 0, **settings})) + "\n"


def test_messages_are_answered_with_all_that_was_said_before(saved, say):
    first = saved.reply(["Hello"], seed=0)
    assert say("Hello", "And you?") == expected(saved, "Hello") + expected(saved, "Hello", first, "And you?")
    assert expected(saved, "Hello", first, "And you?") != expected(saved, "And you?")


def test_again_answers_the_last_message_anew(saved, say):
    assert say("Hello", "/again") == 2 * expected(saved, "Hello")


def test_new_forgets(saved, say):
    assert say("Hello", "/new", "And you?") == expected(saved, "Hello") + expected(saved, "And you?")


def test_quit_ends(saved, say):
    assert say("Hello", "/quit", "And you?") == expected(saved, "Hello")


def test_an_empty_line_or_an_unknown_command_gets_the_help(saved, say):
    assert say("", "   ", "/dance", "Hello") == 3 * f"{HELP}\n" + expected(saved, "Hello")


def test_again_before_anything_was_said_answers_nothing(say):
    assert "rnn>" not in say("/again") and "rnn>" not in say("/new", "/again")


def test_settings_reach_the_bot(saved, say):
    arguments = ["rnn", "--temperature", "0"]
    assert say("Hello", arguments=arguments) == expected(saved, "Hello", temperature=0)
    arguments = ["rnn", "--seed", "5", "--top-k", "3", "--top-p", "0.5"]
    assert say("Hello", arguments=arguments) == expected(saved, "Hello", seed=5, top_k=3, top_p=0.5)


def test_a_long_message_brings_a_notice_each_time_and_is_answered(saved, say):
    filters = warnings.filters[:]
    show = warnings.showwarning
    message = "word " * 500
    out = say(message, "/again")
    notice = "(the conversation is 2,502 tokens long; rnn reads the last 2,000 of them)"
    assert out.count(notice) == 2
    assert out.replace(f"{notice}\n", "") == 2 * expected_quietly(saved, message)
    assert warnings.showwarning is show and warnings.filters == filters  # nothing is left changed behind it


def expected_quietly(saved, message):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return expected(saved, message)


def test_an_unknown_bot_is_answered_with_the_known_ones(saved, capsys):
    assert main(["skynet"], lines=["Hello"]) == 1
    out, err = capsys.readouterr()
    assert "there is no bot 'skynet'; known are rnn" in err and not out


def test_an_empty_zoo_says_so(checkpoint_folder, capsys):
    assert main([], lines=["Hello"]) == 1
    assert "there is no bot 'rnn'; known are none yet" in capsys.readouterr().err


def test_a_senseless_setting_is_refused_in_words(saved, capsys):
    assert main(["rnn", "--temperature", "-1"], lines=["Hello"]) == 1
    assert "temperature is -1.0: give 0" in capsys.readouterr().err


def test_what_is_typed_comes_from_standard_input(saved, monkeypatch, capsys):
    monkeypatch.setattr(sys, "stdin", io.StringIO("Hello\n"))  # and then the end of the file
    assert main(["rnn", "--seed", "0"]) == 0
    assert expected(saved, "Hello") in capsys.readouterr().out


def test_ctrl_c_ends_it_quietly(saved, capsys):
    def lines():
        yield "Hello"
        raise KeyboardInterrupt

    assert main(["rnn", "--seed", "0"], lines=lines()) == 0
    assert capsys.readouterr().out.endswith(expected(saved, "Hello") + "\n")


def test_help_names_the_bots(saved, capsys):
    with pytest.raises(SystemExit) as end:
        main(["--help"])
    assert end.value.code == 0 and "one of: rnn" in capsys.readouterr().out
