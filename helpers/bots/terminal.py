"""Talk to any checkpoint in the terminal: ``python -m helpers chat [NAME] [--temperature 0.7]`` (notebook 02 on)."""

import argparse
import sys
import warnings

from helpers.bots import checkpoints

HELP = "Write a message and press Enter. /again answers your last message anew, /new begins anew, /quit ends."


def main(arguments: list[str] | None = None, lines=None) -> int:
    """Run the chat; ``lines`` are what a person types (default: standard input). Return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m helpers chat", description="Talk to a bot of the course.")
    parser.add_argument(
        "bot", nargs="?", default="rnn", help=f"one of: {', '.join(checkpoints.names())} (default: rnn)"
    )
    parser.add_argument("--temperature", type=float, default=0.7, help="0 is always the likeliest (default: 0.7)")
    parser.add_argument("--top-k", type=int, default=None)
    parser.add_argument("--top-p", type=float, default=None)
    parser.add_argument("--seed", type=int, default=None, help="the same seed, the same replies")
    options = parser.parse_args(arguments)
    settings = {name: getattr(options, name) for name in ("temperature", "top_k", "top_p", "seed")}
    try:
        bot = checkpoints.load(options.bot)
        print(f"{bot.name} is here. {HELP}")
        with warnings.catch_warnings():
            warnings.simplefilter("always")
            warnings.showwarning = lambda message, *_: print(f"({message})")
            _talk(bot, settings, _typed() if lines is None else lines)
    except ValueError as error:
        print(f"{error}", file=sys.stderr)
        return 1
    except (KeyboardInterrupt, EOFError):
        print()
    return 0


def _talk(bot, settings: dict, lines) -> None:
    history: list[str] = []
    for line in lines:
        message = line.strip()
        if message == "/quit":
            return
        if message == "/new":
            history = []
        elif message == "/again":
            history = history[:-1]
        elif message and not message.startswith("/"):
            history.append(message)
        else:
            print(HELP)
        if len(history) % 2:
            history.append(_answer(bot, history, settings))


def _answer(bot, history: list[str], settings: dict) -> str:
    print(f"{bot.name}> ", end="", flush=True)
    pieces = []
    for piece in bot.stream(history, **settings):
        pieces.append(piece)
        print(piece, end="", flush=True)
    print()
    return "".join(pieces).strip()


def _typed():
    while True:
        try:
            yield input("you> ")
        except EOFError:
            print()
            return
