"""The last stage of a capstone: replies to the same prompts, a judge, ratings with intervals, the scoreboard (notebook 15)."""

import json

from helpers.bots import checkpoints
from helpers.bots.arena import PROMPT_ROOM, REPLY_ROOM, Prompt, choose_prompts, replies_of, without_bots
from helpers.bots.capstone_folder import FEWEST, Capstone
from helpers.bots.capstone_recipes import HELD_OUT
from helpers.bots.measure import measure
from helpers.io import write_rows, write_text

OPPONENTS = ("n-gram", "gpt", "gpt-chat")  # of the course
OTHERS = ("people", "people elsewhere", "always unsure")  # no bots: no ranking should go without them
PROMPTS = 60
JUDGE = "gold"  # the reward model of notebook 09 that no bot was tuned with
MONTH, COURSE = "bits per byte, your month", "bits per byte, the course"
COLUMNS = ("bot", "rating", "low", "high", MONTH, COURSE, "seconds per reply", "parameters", "training seconds")


def results(capstone: Capstone):
    """Compare the bot with others on the same prompts, measure it, write its scoreboard, and return that as a DataFrame.

    A row a contestant: its rating in Elo points (mean 0) by the votes of the reward model "gold", with the 95 % interval by
    prompts; the surprisal of held-out conversations of the month (None where there are fewer than 20) and of the course. The
    bot's own figures are measured as those of the course's scoreboard are, and stand on its card, too.
    """
    import pandas

    from helpers.corpus.load import load
    from helpers.evaluation import scoreboard

    corpus, course = capstone.corpus(), load()
    bots = contestants(capstone)
    prompts = month_prompts(corpus.test)
    if len(prompts) < FEWEST:
        print(f"Your month has {len(prompts)} held-out prompts. {PROMPTS - len(prompts)} of the course's join them.")
        more = choose_prompts(course.test, PROMPTS - len(prompts))
        prompts += [each._replace(number=number) for number, each in enumerate(more, len(prompts))]
    print(f"{len(prompts)} prompts, answered by {', '.join(bots)}.", flush=True)
    replies = {name: replies_of(bot, prompts) for name, bot in bots.items()}
    replies |= {name: texts for name, texts in without_bots(prompts).items() if name in OTHERS}
    store = {"prompts": [prompt.turns for prompt in prompts], "replies": replies}
    write_text(capstone.file("replies.json"), json.dumps(store, indent=1) + "\n")
    rows = {row.pop("name"): row for row in rated(prompts, replies)}
    print("Measuring it on the course's conversations, as the scoreboard does.", flush=True)
    figures = measure(bots[capstone.name], course.test) | {"bytes": checkpoints.size(capstone.bot)}
    checkpoints.note_metrics(capstone.bot, checkpoints.card(capstone.bot)["metrics"] | figures)
    for name, bot in bots.items():
        rows[name] |= figures_of(name, bot, capstone, corpus.test, course.test)
    table = [{"bot": name, **{column: row.get(column) for column in COLUMNS[1:]}} for name, row in rows.items()]
    write_rows(capstone.file("scoreboard.csv"), COLUMNS, table)
    metrics = checkpoints.card(capstone.bot)["metrics"]
    own = {column: metrics[column] for column in scoreboard.COLUMNS if column in metrics}
    board = scoreboard.with_row(scoreboard.read(), capstone.name, own, idea="a month of comments")
    print(board.drop(columns=["notebook", "status"]).to_string())
    table = pandas.DataFrame(table).set_index("bot")
    shown = table.round(dict.fromkeys(("rating", "low", "high"), 0)).round(3)
    print(f"\n{shown.astype(object).fillna('').to_string()}\n\n{closing(capstone, corpus, table)}")
    return table


def contestants(capstone: Capstone) -> dict:
    """Return the capstone's bots and the course's, {name: Bot}; without the pretrained one where that is the course's own."""
    mine = checkpoints.load(capstone.bot)
    bots = {capstone.name: mine}
    if "base" not in checkpoints.card(capstone.pretrained)["recipe"]:
        before = checkpoints.load(capstone.pretrained)
        bots[before.name] = before
    return bots | {name: checkpoints.load(name) for name in OPPONENTS}


def month_prompts(test) -> list[Prompt]:
    """Return at most PROMPTS held-out conversations without their last turn, and that turn. Long ones are left out."""
    prompts = []
    for talk in test:
        *turns, reply = (turn.text.strip() for turn in talk.turns)
        if len(prompts) < PROMPTS and sum(map(len, turns)) <= PROMPT_ROOM and 0 < len(reply) <= REPLY_ROOM:
            prompts.append(Prompt(len(prompts), talk.id, turns, reply))
    return prompts


def judge_of():
    """Return the judge: it has ``score(contexts, replies)``, higher is better."""
    from helpers.bots.judges import RewardJudge

    return RewardJudge(JUDGE)


def rated(prompts: list[Prompt], replies: dict[str, list[str]]) -> list[dict]:
    """Return a dict for each contestant, the best first: name, rating, low, high, votes."""
    from helpers.bots.judges import judge_votes
    from helpers.evaluation.rating_intervals import bootstrap_ratings

    judge, contexts = judge_of(), [prompt.turns for prompt in prompts]
    scores = {name: judge.score(contexts, texts) for name, texts in replies.items()}
    return bootstrap_ratings(judge_votes(scores), by="prompt", prior=1.0).rows()


def figures_of(name: str, bot, capstone: Capstone, test, course) -> dict:
    """Return a bot's figures for the table: those on its card, and its surprisal of the month; missing ones are measured."""
    from helpers.evaluation.likelihood import bits_per_byte_on
    from helpers.models.utils import parameter_count

    place = {capstone.name: capstone.bot, f"{capstone.name} (pretrained)": capstone.pretrained}.get(name, name)
    metrics = checkpoints.card(place)["metrics"]
    if "bits per byte" not in metrics:
        metrics["bits per byte"] = bits_per_byte_on(bot.model, bot.tokenizer, course)
    return {
        MONTH: bits_per_byte_on(bot.model, bot.tokenizer, test[:HELD_OUT]) if len(test) >= FEWEST else None,
        COURSE: metrics["bits per byte"],
        "parameters": parameter_count(bot.model),
        **{column: metrics.get(column) for column in ("seconds per reply", "training seconds")},
    }


def closing(capstone: Capstone, corpus, table) -> str:
    """Return what the learner is to know about the table, and what to do next."""
    parts = [
        f"The judge is the reward model {JUDGE!r} of notebook 09, no person: it has the biases that notebook 15 measures. "
        f"Your own vote: from helpers.bots import capstone; from helpers.show import Arena; "
        f"Arena(capstone.pairs({str(capstone.source)!r}))",
        f"Talk to it: python -m helpers chat {capstone.bot.relative_to(capstone.folder.parents[2])}",
    ]
    if len(corpus.test) < FEWEST:
        parts.insert(
            0, f"{len(corpus.test)} held-out conversations are too few to measure on: the month's own column is empty."
        )
    return "\n".join(parts)


def stored_pairs(capstone: Capstone) -> list[tuple]:
    """Return (number of the prompt, its turns, {contestant: reply}) of the replies that ``results`` has stored."""
    store = json.loads(capstone.need(capstone.file("replies.json"), "arena").read_text(encoding="utf-8"))
    return [
        (number, turns, {name: texts[number] for name, texts in store["replies"].items()})
        for number, turns in enumerate(store["prompts"])
    ]
