"""Talk to any checkpoint in the terminal: ``python -m helpers chat [NAME] [--temperature 0.7]`` (notebook 02 on)."""

import argparse
import sys
import tempfile
import time
import warnings
from collections.abc import Iterable, Iterator
from pathlib import Path

from helpers.bots import checkpoints
from helpers.io import lenient_streams, write_text

HELP = (
    "Write a message and press Enter. /again asks for another answer, /new starts a new conversation, "
    "/save FILE saves what was written, /quit ends."
)


def main(arguments: list[str] | None = None, lines: Iterable[str] | None = None) -> int:
    """Run the chat; ``lines`` are what a person types (default: standard input). Return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m helpers chat", description="Talk to a bot of the course.")
    parser.add_argument(
        "bot",
        nargs="?",
        default="rnn",
        help=f"one of: {', '.join(checkpoints.names())} (default: rnn), or the folder of a bot of your own",
    )
    parser.add_argument("--temperature", type=float, default=0.7, help="0 is always the likeliest (default: 0.7)")
    parser.add_argument("--top-k", type=int, default=None)
    parser.add_argument("--top-p", type=float, default=None)
    parser.add_argument("--seed", type=int, default=None, help="the same seed, the same replies")
    options = parser.parse_args(arguments)
    lenient_streams()
    try:
        bot = checkpoints.load(meant(options.bot))
    except ValueError as error:
        print(error, file=sys.stderr)
        return 1
    settings = {name: getattr(options, name) for name in ("temperature", "top_k", "top_p", "seed")}
    return Chat(bot, settings).run(_typed() if lines is None else lines)


def meant(words: str) -> str | Path:
    """Return what ``words`` of a command line mean: with a slash in them the Path of a folder with a bot, else a bot's name."""
    return Path(words).expanduser() if "/" in words or "\\" in words else words


class Chat:
    """A conversation with ``bot``; ``settings`` are those of ``Bot.reply``. What was typed is never lost: see ``run``."""

    def __init__(self, bot, settings: dict):
        self.bot, self.settings = bot, settings
        self.history: list[str] = []
        self.transcript: list[
            str
        ] = []  # everything, also answers that were asked for again and conversations before /new
        self.saved: set[Path] = set()

    def run(self, lines: Iterable[str]) -> int:
        """Answer each line until /quit or the end of the input, and return the exit status.

        A chat that ends in another way (Ctrl-C, a closed pipe, an error) writes the conversation to a new file in the
        current folder and says where. Ctrl-C while the bot is answering stops that answer only.
        """
        try:
            print(f"{self.bot.name} is here. {HELP}", flush=True)
            with warnings.catch_warnings():
                warnings.simplefilter("always")
                warnings.showwarning = lambda message, *_: print(f"({message})")
                all(self._read(line.strip()) for line in lines)
        except KeyboardInterrupt:
            print()
            self._rescue()
        except ValueError as error:
            print(error, file=sys.stderr)
            self._rescue()
            return 1
        except BaseException:
            self._rescue()
            raise
        return 0

    def _read(self, line: str) -> bool:
        """Do what a line says; return whether the chat goes on."""
        command, _, rest = line.partition(" ")
        if line == "/quit":
            return False
        if line == "/new":
            self.history = []
            self.transcript.append("")
        elif line == "/again":
            self.history = self.history[:-1]
        elif command == "/save":
            self._save(rest.strip())
        elif line and not line.startswith("/"):
            self.history.append(line)
            self.transcript.append(f"you> {line}")
        else:
            print(HELP)
        if len(self.history) % 2:
            self._answer()
        return True

    def _answer(self) -> None:
        print(f"{self.bot.name}> ", end="", flush=True)
        pieces = []
        try:
            for piece in self.bot.stream(self.history, **self.settings):
                pieces.append(piece)
                print(piece, end="", flush=True)
        except KeyboardInterrupt:
            if not pieces:
                raise
        finally:
            self.history.append("".join(pieces).strip())
            self.transcript.append(f"{self.bot.name}> {self.history[-1]}")
        print()

    def _save(self, name: str) -> None:
        path = (Path(name).expanduser() if name else self._new_file(Path.cwd())).absolute()
        if path.exists() and path not in self.saved:
            print(f"There is a file {path} already; choose another name.")
            return
        try:
            write_text(path, "\n".join(self.transcript) + "\n")
        except OSError as error:
            print(error)
            return
        self.saved.add(path)
        print(f"Saved to {path}")

    def _rescue(self) -> None:
        """Write the conversation to a file, in the current folder or, if that is closed, in that for temporary files."""
        if not self.transcript:
            return
        text = "\n".join(self.transcript) + "\n"
        for folder in (Path.cwd(), Path(tempfile.gettempdir())):
            try:
                path = write_text(self._new_file(folder), text)
            except OSError:
                continue
            text = f"Your conversation is in {path}\n"
            break
        try:
            print(text, end="", file=sys.stderr, flush=True)
        except OSError:
            pass  # this pipe is closed, too

    def _new_file(self, folder: Path) -> Path:
        return folder / time.strftime(f"chat-{self.bot.name}-%Y-%m-%d-%H%M%S.txt")


def _typed() -> Iterator[str]:
    while True:
        try:
            yield input("you> ")
        except EOFError:
            print()
            return
