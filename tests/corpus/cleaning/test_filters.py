"""Each reason to drop a comment: who falls, who stays, what is counted."""

from collections import Counter
from typing import NamedTuple

import pytest

from helpers.corpus.cleaning import REASONS, Filter
from helpers.corpus.cleaning.filters import has_table_or_code, is_bot_name, is_english, is_removal_notice


class Comment(NamedTuple):
    body: str = "That is the best soup I have had."
    author: str = "somebody_or_other"
    score: int | None = 5
    distinguished: str | None = None
    stickied: bool = False


GERMAN = "Wir haben ihn auch gesehen, und die Katze war nicht beeindruckt."
CASES = {
    "an ordinary comment": (Comment(), None),
    "a short one": (Comment(body="Yes."), None),
    "deleted": (Comment(body="[deleted]"), "deleted"),
    "removed": (Comment(body="[removed]"), "deleted"),
    "an account that is gone": (Comment(author="[deleted]"), "deleted"),
    "AutoModerator": (Comment(author="AutoModerator"), "bot"),
    "a bot by name": (Comment(author="count_to_four_bot"), "bot"),
    "a bot by footer": (Comment(body="Tick. Tock.\n\n^(I am a bot who counts.)"), "bot"),
    "a bot by footer, word by word": (Comment(body="Tock.\n\n^I ^am ^a ^bot"), "bot"),
    "a bot in capitals": (Comment(body="TICK TOCK. I AM A BOT, AND I COUNT."), "bot"),
    "a bot that names itself an action": (Comment(body="This action was performed automatically. Thank you!"), "bot"),
    "who speaks of bots": (Comment(body="Good bot. Even the bot has better timing."), None),
    "who is not a bot": (Comment(body="I am not a bot, whatever the cat says."), None),
    "an abbot": (Comment(author="the_abbot"), None),
    "a pinned note": (Comment(stickied=True, distinguished="moderator"), "moderator note"),
    "a moderator who just talks": (Comment(distinguished="moderator"), None),
    "low score": (Comment(score=0), "low score"),
    "the lowest score that stays": (Comment(score=1), None),
    "score not known": (Comment(score=None), None),
    "empty": (Comment(body=""), "nothing left"),
    "only a quote": (Comment(body="&gt; You said it."), "nothing left"),
    "a table": (Comment(body="Here:\n\nDay|Mood\n:--|:--\n1|sore"), "markdown table or code"),
    "indented code": (Comment(body="Try this:\n\n    x = 1\n    y = 2"), "markdown table or code"),
    "fenced code": (Comment(body="Try:\n```\nx = 1\n```"), "markdown table or code"),
    "an indented list": (Comment(body="Lists:\n\n    * tea\n    * cake"), None),
    "a link only": (Comment(body="http://example.org/comet.jpg"), "link only"),
    "two links and a dot": (Comment(body="http://example.org www.example.com."), "link only"),
    "a link and a word": (Comment(body="Look: http://example.org"), None),
    "one letter": (Comment(body="k"), "too short"),
    "a thousand and one": (Comment(body="tea " * 250 + "x"), "too long"),
    "two hundred and one words": (Comment(body="a b c d e " * 41), "too long"),
    "soup soup soup": (Comment(body="Soup soup SOUP for me"), "repetition"),
    "soup twice": (Comment(body="soup soup, and then soup"), None),
    "three links": (Comment(body="See http://a.org http://b.org http://c.org"), None),
    "German": (Comment(body=GERMAN), "not English"),
    "Greek": (Comment(body="Καλημέρα σε όλους από την κουζίνα"), "not English"),
    "Russian, one word": (Comment(body="Спасибо"), "not English"),
    "French": (
        Comment(body="Je ne sais pas si vous avez mangé la soupe, mais elle est dans le frigo."),
        "not English",
    ),
    "English about a café": (Comment(body="We met in the naïve little café by the harbour."), None),
    "English without small words": (Comment(body="Best soup ever, Grandma!"), None),
}


@pytest.mark.parametrize("case", CASES)
def test_reason(case):
    comment, reason = CASES[case]
    assert Filter().reason(comment) == reason


@pytest.mark.parametrize(
    ("setting", "body"),
    [
        ({"min_score": None}, Comment(score=-14)),
        ({"bots": False}, Comment(author="count_to_four_bot")),
        ({"code": False}, Comment(body="Try:\n```\nx = 1\n```")),
        ({"english": False}, Comment(body=GERMAN)),
        ({"repeats": None}, Comment(body="soup soup soup soup")),
        ({"min_characters": None}, Comment(body="k")),
        ({"max_characters": None, "max_words": None, "repeats": None}, Comment(body="tea and " * 500)),
        ({"deleted_accounts": False}, Comment(author="[deleted]")),
    ],
)
def test_each_threshold_can_be_switched_off(setting, body):
    assert Filter().reason(body) is not None
    assert Filter(**setting).reason(body) is None


@pytest.mark.parametrize("score", [-3, 0, 1, 4, 5, 6])
def test_a_comment_below_the_lowest_score_falls_and_one_at_it_stays(score):
    for least in (-3, 1, 5):
        assert Filter(min_score=least).reason(Comment(score=score)) == ("low score" if score < least else None)


NOTICES = """[deleted]|[removed]|[ Removed by Reddit ]|[removed] |[REMOVED]|&#91;removed&#93;|&amp;#91;deleted&amp;#93;
[ Removed by reddit in response to a copyright notice. ]|[removed too many requests]|[deleted by user]|[removed by moderator]
[ Removed by Reddit on account of violating the [content policy](/help/contentpolicy). ]|[Comment deleted by user]
[This comment was removed by a moderator.]|[removed due to spam]""".replace("\n", "|").split("|")
SENTENCES = """I [deleted] my account.|[Deleted scene](http://example.org/x)|[deleted scenes are the best part]|They removed it.
[removed] was all I saw|[deleted] or [removed]|[deleted by user] is a strange name|Removed by moderator|[edit: removed a typo]
[removed by mods](http://example.org)|[removed my hat]""".replace("\n", "|").split("|")


@pytest.mark.parametrize("body", NOTICES)
def test_removal_notices_of_any_wording_fall(body):
    assert is_removal_notice(body) and Filter().reason(Comment(body=body)) == "deleted"


@pytest.mark.parametrize("body", SENTENCES)
def test_sentences_about_removals_are_no_notices(body):
    assert not is_removal_notice(body) and Filter().reason(Comment(body=body)) != "deleted"


@pytest.mark.parametrize(
    "name",
    ["AutoModerator", "metronome_bot", "metronome-bot", "MetronomeBot", "HAIKU_BOT", "bot", "tea_bot_"],
)
def test_names_of_bots(name):
    assert is_bot_name(name)
    assert Filter().reason(Comment(author=name)) == "bot"


@pytest.mark.parametrize(
    "name", ["abbot", "talbot", "Talbot", "the_abbot", "turbot", "robotics", "bottle", "botanist_", "reboot"]
)
def test_names_of_people(name):
    assert not is_bot_name(name)
    assert Filter().reason(Comment(author=name)) is None


def test_the_same_text_again_and_again():
    ladle = Comment(body="Come and see my ladle collection!")
    strict = Filter(same_text=2)
    assert [strict.reason(ladle) for _ in range(4)] == [None, None, "same text again", "same text again"]
    assert strict.reason(ladle._replace(author="another_author")) is None
    assert strict.reason(ladle._replace(body="Come and see my spoon collection!")) is None
    thanks = Comment(body="Thank you!")
    assert [strict.reason(thanks) for _ in range(9)] == [None] * 9


def test_memory_for_texts_is_bounded_and_recent_repeats_are_still_seen():
    small = Filter(memory=50, same_text=1, repeats=None)
    for number in range(1000):
        small.reason(Comment(body=f"This is comment number {number} of many."))
        assert len(small._seen) <= 50 and len(small._seen_before) <= 50
    assert small.reason(Comment(body="This is comment number 990 of many.")) == "same text again"
    assert small.reason(Comment(body="This is comment number 3 of many.")) is None


def test_keep_counts_and_reason_does_not():
    sieve = Filter()
    sieve.reason(Comment())
    assert sieve.counts == Counter()
    assert sieve.keep(Comment()) and not sieve.keep(Comment(body="[removed]")) and not sieve.keep(Comment(score=-3))
    assert sieve.counts == {"kept": 1, "deleted": 1, "low score": 1}


def test_table_says_what_each_reason_means():
    sieve = Filter()
    for comment, _ in CASES.values():
        sieve.keep(comment)
    table = sieve.table()
    assert list(table.columns) == ["reason", "what it means", "comments", "share"]
    assert table["comments"].sum() == len(CASES) and table["share"].sum() == pytest.approx(1)
    assert table["reason"][0] == "kept" and table["comments"][1:].is_monotonic_decreasing
    assert list(table["what it means"]) == [REASONS[reason] for reason in table["reason"]]
    assert Filter().table().empty


def test_every_reason_is_explained_and_occurs():
    reasons = {reason or "kept" for _, reason in CASES.values()} | {"same text again"}
    assert reasons == set(REASONS)


def test_a_text_already_cleaned_is_taken_as_it_is():
    assert Filter().reason(Comment(body="**x**"), "Quite another text, and a good one.") is None


def test_a_ten_megabyte_comment_is_too_long_and_quickly_so():
    assert Filter().reason(Comment(body="soup and the bread " * 550_000)) == "too long"


def test_helpers():
    assert has_table_or_code("a|b\n-|-\n1|2") and not has_table_or_code("a | b - c\nd")
    assert is_english("so it goes", ["so", "it", "goes"])
