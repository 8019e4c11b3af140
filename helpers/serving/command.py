"""``python -m helpers serve gpt-chat``: the service from the command line (notebook 14)."""

import argparse
import sys

from helpers.extras import missing
from helpers.serving.keys import add_key, read_keys
from helpers.serving.settings import HOSTS, Settings

NEEDED = ("fastapi", "uvicorn", "pydantic", "prometheus_client", "limits")
OPTIONS = (  # fields of Settings that are whole numbers or seconds, and what the help says of them
    ("requests_per_minute", int, "that one key may send (default: no limit)"),
    ("tokens_per_minute", int, "that one key may have read and written (default: no limit)"),
    ("deadline", float, "seconds that a request may take, its wait included"),
    ("max_body", int, "bytes of a request"),
    ("max_tokens", int, "that one reply may have"),
    ("batch_size", int, "requests that a GPT computes together"),
    ("max_waiting", int, "requests that wait; more are refused"),
    ("grace", float, "seconds that running requests have to finish when the service stops"),
)


def main(arguments: list[str]) -> int:
    """Run the command and return its exit status. Raises ValueError and OSError, in sentences that say what to do."""
    options = _parser().parse_args(arguments)
    if options.new_key:
        return _new_key(options)
    if absent := missing(*NEEDED):
        print(f"The service needs more than the course: {absent}", file=sys.stderr)
        return 1
    names = list(dict.fromkeys(options.bots)) or ["gpt-chat"]
    given = {name: value for name, _, _ in OPTIONS if (value := getattr(options, name)) is not None}
    settings = Settings(
        keys=read_keys(options.keys_file) if options.keys_file else {},
        hosts=(*HOSTS, *options.allow_host),
        log=sys.stdout if options.log == "-" else options.log,
        log_texts=options.log_texts,
        **given,
    )
    if options.host not in ("127.0.0.1", "localhost", "::1") and not settings.keys:
        raise ValueError(
            f"anyone who reaches {options.host} could use this service: give --keys-file FILE (--new-key NAME makes one)"
        )
    return _serve(names, options, settings)


def _serve(names: list[str], options: argparse.Namespace, settings: Settings) -> int:
    from helpers.serving import server

    # The port first: loading bots takes seconds, after which it is a pity to hear that it is taken.
    door = server.bound(options.host, options.port)
    try:
        from helpers.bots import checkpoints
        from helpers.bots.terminal import meant

        bots = [checkpoints.load(meant(name)) for name in names]  # a folder of your own has a slash
    except BaseException:
        door.close()
        raise
    host, port = f"[{options.host}]" if ":" in options.host else options.host, door.getsockname()[1]
    who = f"for those with a key ({len(settings.keys)})" if settings.keys else "without keys"
    print(f"{', '.join(names)} {who} at http://{host}:{port} (chat page) and http://{host}:{port}/v1 (OpenAI's API).")
    print("Ctrl-C stops it: what runs is finished first.", flush=True)
    server.serve(bots, settings, door)
    print("The service has stopped.")
    return 0


def _new_key(options: argparse.Namespace) -> int:
    if not options.keys_file:
        raise ValueError("--new-key needs --keys-file FILE: that is where the key's hash is written")
    key = add_key(options.keys_file, options.new_key)
    print(f"{key}\nThis is the key of {options.new_key}. It is shown this once: {options.keys_file} has only its hash.")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m helpers serve", description="Serve bots of the course, with OpenAI's API and a chat page."
    )
    parser.add_argument("bots", nargs="*", metavar="BOT", help="which bots (default: gpt-chat)")
    parser.add_argument(
        "--host", default="127.0.0.1", help="address to listen on (default: 127.0.0.1, this computer only)"
    )
    parser.add_argument("--port", type=int, default=8000, help="port to listen on, 0 for any (default: 8000)")
    parser.add_argument(
        "--allow-host", action="append", default=[], metavar="NAME", help="a name the service is called by"
    )
    parser.add_argument("--keys-file", metavar="FILE", help="names and hashes of the keys that may come in")
    parser.add_argument("--new-key", metavar="NAME", help="make a key, add its hash to --keys-file, show it and end")
    parser.add_argument(
        "--log", metavar="FILE", help="add a JSON line per request to this file (- for standard output)"
    )
    parser.add_argument(
        "--log-texts", choices=["none", "redacted"], default="none",
        help="log what was said, without personal data that patterns find (default: none, lengths and hashes alone)",
    )  # fmt: skip
    for name, kind, words in OPTIONS:
        default = getattr(Settings, name)
        shown = (
            words
            if default is None
            else f"{words} (default: {default:g})"
            if kind is float
            else f"{words} (default: {default})"
        )
        parser.add_argument(f"--{name.replace('_', '-')}", type=kind, default=None, metavar="N", help=shown)
    return parser
