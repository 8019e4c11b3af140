"""The one command line of the course.

python -m helpers chat gpt-chat            talk to a bot in the terminal
python -m helpers serve gpt-chat           serve bots over HTTP: OpenAI's API and a chat page (notebook 14; --help says more)
python -m helpers bots list                every trained bot, with its score and size
python -m helpers bots train rnn           train it again (no name: all), measure it, rewrite its scoreboard row
python -m helpers bots train gpt --processes 2        by a team of processes, each on a GPU of its own where there are enough
python -m helpers bots measure rnn         measure it again, on a computer that does nothing else
python -m helpers bots judge rnn           can a classifier tell its replies from people's? (notebook 08)
python -m helpers bots verify              are the files the ones that were measured?
python -m helpers capstone all RC_2012-06.zst         a month of comments of your own, to its row (--help says more)
python -m helpers experiments rlhf         run what a table in data/ lacks (hours)
python -m helpers about                    the versions and the computer, to be pasted into an issue
"""

import argparse
import os
import sys
from importlib import import_module
from pathlib import Path

from helpers.io import lenient_streams

EXPERIMENTS = {
    "behind_the_scoreboard": "helpers.experiments.behind_the_scoreboard",
    "recurrent_kinds": "helpers.experiments.recurrent_kinds",
    "scaling_laws": "helpers.experiments.scaling_laws",
    "recipes": "helpers.experiments.recipes",
    "transformer_ablations": "helpers.experiments.transformer_ablations",
    "bottleneck": "helpers.experiments.bottleneck",
    "reply_attention": "helpers.experiments.reply_attention",
    "reply_gan": "helpers.experiments.reply_gan",
    "vocabulary": "helpers.experiments.vocabulary",
    "fine_tuning": "helpers.experiments.fine_tuning",
    "transfer": "helpers.experiments.transfer",
    "sentiment": "helpers.experiments.sentiment",
    "gan_listing": "helpers.experiments.gan_listing",
    "gan_games": "helpers.experiments.gan_games",
    "dialogue_gan": "helpers.experiments.dialogue_gan",
    "induction": "helpers.experiments.induction",
    "inside_heads": "helpers.experiments.inside_heads",
    "inside": "helpers.experiments.inside",
    "rlhf": "helpers.experiments.rlhf",
    "rlhf_seeds": "helpers.experiments.rlhf_seeds",
    "overoptimization": "helpers.experiments.overoptimization",
    "distillation": "helpers.experiments.distillation",
    "compression": "helpers.experiments.compression",
    "decoding_speed": "helpers.experiments.decoding_speed",
    "robustness": "helpers.experiments.robustness",
    "robustness_bots": "helpers.experiments.robustness_bots",
    "robustness_data": "helpers.experiments.robustness_data",
    "arena": "helpers.experiments.arena",
    "dask_corpus": "helpers.experiments.cluster",
    "elastic_restart": "helpers.experiments.elastic_restart",
    "pictures": "helpers.experiments.pictures",
    "seqgan_oracle": "helpers.evaluation.seqgan_oracle",
}


def main(arguments: list[str] | None = None) -> int:
    """Run the command line; return its exit status. What goes wrong is reported in a sentence, not by a traceback."""
    lenient_streams()
    try:
        status = run(sys.argv[1:] if arguments is None else arguments)
        sys.stdout.flush()
        return status
    except BrokenPipeError:  # the reader has seen enough: `python -m helpers bots list | head -1`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except KeyboardInterrupt:
        print("\nInterrupted.", file=sys.stderr)
    except (ValueError, OSError) as error:
        print(error, file=sys.stderr)
    except RuntimeError as error:
        if type(error).__name__ != "ProcessesFailed":  # its class would load more than most commands need
            raise
        print(error, file=sys.stderr)
    return 1


def run(arguments: list[str]) -> int:
    """Run a command and return its exit status; raises what goes wrong."""
    if arguments[:1] == ["chat"]:
        from helpers.bots import terminal

        return terminal.main(arguments[1:])
    if arguments[:1] == ["serve"]:
        from helpers.serving import command

        return command.main(arguments[1:])
    if arguments == ["about"]:
        from helpers import about

        print(about.report())
        return 0
    if arguments[:1] == ["capstone"]:
        from helpers.bots import capstone

        return capstone.main(arguments[1:])
    parser = argparse.ArgumentParser(
        prog="python -m helpers", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    commands = parser.add_subparsers(dest="command", metavar="COMMAND")
    commands.add_parser("chat", help="talk to a bot in the terminal")
    commands.add_parser("serve", help="serve bots over HTTP")
    commands.add_parser("capstone", help="a month of comments of your own, from its file to its row")
    commands.add_parser("about", help="the versions and the computer, to be pasted into an issue")
    bots = commands.add_parser("bots", help="the trained bots of the course")
    bots.add_argument("action", choices=["list", "train", "measure", "judge", "verify"])
    bots.add_argument("names", nargs="*", metavar="NAME", help="which bots (default: all)")
    bots.add_argument("--processes", type=int, metavar="N", help="train as a team of N processes (default: alone)")
    experiments = commands.add_parser("experiments", help="the long runs behind the tables in data/")
    names = experiments.add_subparsers(dest="name", required=True)
    runs = {name: names.add_parser(name) for name in EXPERIMENTS}
    runs["rlhf"].add_argument("--out", type=Path, metavar="FOLDER", help="where to write (default: data/preferences)")
    runs["rlhf"].add_argument("--seconds", type=float, default=7_200, help="no run begins later (default: 7200)")
    runs["rlhf"].add_argument("--base", default="gpt-chat", help="the bot that is fine-tuned (default: gpt-chat)")
    runs["rlhf"].add_argument("--tiny", action="store_true", help="only to see that it runs")
    cluster = runs["dask_corpus"]
    cluster.add_argument("folder", nargs="?", type=Path, help="a folder of months (default: invent some, and measure)")
    cluster.add_argument("--workers", type=int, default=2, help="processes on this computer (default: 2)")
    cluster.add_argument(
        "--scheduler", metavar="ADDRESS", help="use the workers of this Dask scheduler: tcp://host:8786"
    )
    cluster.add_argument(
        "--out", type=Path, metavar="FOLDER", help="keep the files between the stages here, to go on from"
    )
    cluster.add_argument("--kill", type=int, default=0, metavar="N", help="kill so many workers on the way")
    options = parser.parse_args(arguments)
    if options.command == "bots":
        if options.processes is None:
            run_bots(options.action, options.names)
        else:
            train_bots_together(options.action, options.names, options.processes)
    elif options.command == "experiments":
        run_experiment(options)
    else:
        parser.print_help()
    return 0


def run_experiment(options: argparse.Namespace) -> None:
    """Run the experiment called ``options.name``; what its table has already is not run again."""
    module = import_module(EXPERIMENTS[options.name])
    if options.name == "dask_corpus":
        return module.main(options.folder, options.workers, options.scheduler, options.out, options.kill)
    if options.name != "rlhf":
        return module.main()
    sizes = module.TINY if options.tiny else module.Sizes()
    module.main(options.out, sizes, options.seconds, options.base, checkpoint=not options.tiny)


def train_bots_together(action: str, names: list[str], processes: int) -> None:
    """Train bots by a team of ``processes``. Raises ValueError for another action, and as the function behind does."""
    from helpers.bots import train

    if action != "train":
        raise ValueError(f"--processes is for training: python -m helpers bots train gpt --processes {processes}")
    train.train_with_processes(names, processes)


def run_bots(action: str, names: list[str]) -> None:
    """List, train, measure, judge or verify bots (all, if none is named). Raises ValueError as the functions behind do."""
    from helpers.bots import checkpoints

    if action == "list":
        for name in names or checkpoints.names():
            bits = checkpoints.card(name)["metrics"].get("bits per byte")
            score = "not measured yet" if bits is None else f"{bits:.2f} bits per byte"
            print(f"{name:11} {score:18} {checkpoints.size(name) / 1e6:4.1f} MB")
    elif action == "verify":
        for name in names or checkpoints.names():
            checkpoints.verify(name)
            print(f"{name}: these are the files that were measured")
    else:
        from helpers.bots import adversarial_success, train

        {"train": train.train, "measure": train.measure_again, "judge": adversarial_success.evaluate}[action](names)


if __name__ == "__main__":
    sys.exit(main())
