"""The chat in the terminal, typed by a list of lines."""

import io
import os
import subprocess
import sys
import warnings

import pytest

from helpers.bots import checkpoints
from helpers.bots.terminal import HELP, main


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    """The current folder, where a chat that ends in a strange way leaves its conversation."""
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    return tmp_path / "here"


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


def test_a_course_without_bots_says_so(checkpoint_folder, capsys):
    assert main([], lines=["Hello"]) == 1
    assert "there is no bot 'rnn'; known are none yet" in capsys.readouterr().err


def test_a_senseless_setting_is_refused_in_words(saved, here, capsys):
    assert main(["rnn", "--temperature", "-1"], lines=["Hello"]) == 1
    assert "temperature is -1.0: give 0" in capsys.readouterr().err
    (path,) = here.iterdir()
    assert path.read_text().startswith("you> Hello\n")


def test_what_is_typed_comes_from_standard_input(saved, monkeypatch, capsys):
    monkeypatch.setattr(sys, "stdin", io.StringIO("Hello\n"))  # and then the end of the file
    assert main(["rnn", "--seed", "0"]) == 0
    assert expected(saved, "Hello") in capsys.readouterr().out


def test_a_chat_that_ends_as_it_should_leaves_no_file(say, here):
    say("Hello", "/quit")
    say("Hello")
    assert list(here.iterdir()) == []


def test_the_conversation_can_be_saved(saved, say, here):
    first, second = saved.reply(["Hello"], seed=0), saved.reply(["You?"], seed=0)
    text = f"you> Hello\nrnn> {first}\nrnn> {first}\n\nyou> You?\n"
    (here / "old.txt").write_text("mine")
    saves = ("/save old.txt", "/save a b.txt", "/save a b.txt", f"/save {here}/no/x.txt", "/save")
    out = say("Hello", "/again", "/new", "You?", *saves)
    assert (here / "old.txt").read_text() == "mine" and f"There is a file {here / 'old.txt'} already" in out
    assert (here / "a b.txt").read_text() == f"{text}rnn> {second}\n" and out.count(f"Saved to {here / 'a b.txt'}") == 2
    assert len(list(here.glob("chat-rnn-*.txt"))) == 1 and (here / "no" / "x.txt").exists()


def test_a_folder_that_takes_no_file_is_no_end(say, here):
    (here / "file").write_text("")
    out = say("Hello", f"/save {here}/file/x.txt", "Hello")
    assert out.count("rnn>") == 2 and "Saved" not in out


def test_ctrl_c_at_the_prompt_ends_it_and_keeps_the_conversation(saved, here, capsys):
    def lines():
        yield "Hello"
        raise KeyboardInterrupt

    assert main(["rnn", "--seed", "0"], lines=lines()) == 0
    out, err = capsys.readouterr()
    assert out.endswith(expected(saved, "Hello") + "\n")
    (path,) = here.iterdir()
    assert err == f"Your conversation is in {path}\n"
    assert path.read_text() == f"you> Hello\nrnn> {saved.reply(['Hello'], seed=0)}\n"


def test_ctrl_c_during_an_answer_stops_the_answer_only(saved, here, monkeypatch, capsys):
    seen = []

    def stream(self, history, **settings):
        seen.append(list(history))
        yield "well, "
        if len(seen) == 1:
            raise KeyboardInterrupt
        yield "yes"

    monkeypatch.setattr(type(saved), "stream", stream)
    assert main(["rnn"], lines=["Hello", "And?"]) == 0
    assert capsys.readouterr().out.endswith("rnn> well, \nrnn> well, yes\n")
    assert seen == [["Hello"], ["Hello", "well,", "And?"]] and list(here.iterdir()) == []


@pytest.mark.parametrize("fault", [RuntimeError("a bug"), BrokenPipeError()])
def test_an_error_of_any_kind_loses_nothing(saved, here, monkeypatch, capsys, fault):
    def stream(self, history, **settings):
        raise fault
        yield

    monkeypatch.setattr(type(saved), "stream", stream)
    with pytest.raises(type(fault)):
        main(["rnn"], lines=["Hello"])
    (path,) = here.iterdir()
    assert path.read_text().startswith("you> Hello\n") and str(path) in capsys.readouterr().err


def test_where_the_folder_is_closed_the_conversation_goes_elsewhere(saved, here, tmp_path, monkeypatch, capsys):
    from helpers.bots import terminal

    def refuse(path, text):
        if path.parent == here:
            raise PermissionError("closed")
        path.write_text(text)
        return path

    def lines():
        yield "Hello"
        raise KeyboardInterrupt

    monkeypatch.setattr(terminal, "write_text", refuse)
    monkeypatch.setattr(terminal.tempfile, "gettempdir", lambda: str(tmp_path))
    assert main(["rnn"], lines=lines()) == 0
    (path,) = tmp_path.glob("chat-*.txt")
    assert str(path) in capsys.readouterr().err
    monkeypatch.setattr(terminal.tempfile, "gettempdir", lambda: str(here))
    assert main(["rnn"], lines=lines()) == 0
    assert "you> Hello\n" in capsys.readouterr().err  # no folder takes it: at least it is on the screen


def run(code, text, encoding, **settings):
    """Run Python code in a process whose standard streams have an encoding."""
    env = {**os.environ, "PYTHONIOENCODING": encoding, "PYTHONUTF8": "0", "PYTHONPATH": os.pathsep.join(sys.path)}
    return subprocess.run([sys.executable, "-c", code], input=text, capture_output=True, env=env, **settings)


EMOJI = """
from helpers.bots import checkpoints, terminal
class Bot:
    name = "b"
    def stream(self, history, **settings):
        print("READ", ascii(history[-1]))
        yield "hi \U0001f600 \u201cyes\u201d"
checkpoints.load, checkpoints.names = lambda name: Bot(), lambda: ["b"]
raise SystemExit(terminal.main(["b"]))
"""


@pytest.mark.parametrize("encoding", ["utf-8:strict", "ascii:strict", "cp1252"])
def test_what_a_terminal_cannot_read_or_print_ends_nothing(here, encoding):
    done = run(EMOJI, "hello 😀\n".encode() + b"bad \xff\xfe byte\nare you there?\n/quit\n", encoding)
    assert done.returncode == 0 and not done.stderr, done.stderr
    assert done.stdout.count(b"b> ") == 3 and b"READ 'are you there?'" in done.stdout and b" byte'" in done.stdout
    assert list(here.iterdir()) == []


def test_a_closed_pipe_ends_it_without_a_traceback_and_keeps_the_conversation(here):
    code = EMOJI.replace('terminal.main(["b"])', 'main(["chat", "b"])')
    code = "import sys\nfrom helpers.__main__ import main\n" + code
    command = [sys.executable, "-c", code]
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with subprocess.Popen(command, env=env, **pipes) as process:
        process.stdin.write(b"hello\n")
        process.stdin.flush()
        process.stdout.readline(), process.stdout.readline()  # the greeting and the reply
        process.stdout.close()
        _, err = process.communicate(b"more\n")
    (path,) = here.iterdir()
    assert process.returncode == 1 and err.decode().splitlines() == [f"Your conversation is in {path}"]
    assert path.read_text().startswith("you> hello\n")


def test_help_names_the_bots(saved, capsys):
    with pytest.raises(SystemExit) as end:
        main(["--help"])
    assert end.value.code == 0 and "one of: rnn" in capsys.readouterr().out


def test_a_bot_in_a_folder_of_your_own(bot, tmp_path, capsys):
    checkpoints.save(bot, {}, {}, tmp_path / "mine")
    assert main([str(tmp_path / "mine"), "--seed", "0"], lines=["/quit"]) == 0
    assert "rnn is here." in capsys.readouterr().out
    assert main(["./nothing"], lines=[]) == 1 and "no bot in the folder nothing" in capsys.readouterr().err
