"""The classifier as a judge: it prefers what people say, and has passed its own tests."""

import random

from helpers.bots import adversarial_success
from helpers.bots.adversarial_success import Question
from helpers.bots.judges import JUDGES
from helpers.bots.reader_judge import ReaderJudge
from helpers.evaluation import human_or_bot_classifier
from tests import factories


class Babbler:
    """Says letters drawn anew for every seed."""

    def reply(self, history, temperature, seed):
        return "".join(random.Random(seed).choices("aqxz kv!8#", k=20)).strip() or "q"


def test_the_reader_prefers_what_a_person_would_say(preference_course, monkeypatch):
    monkeypatch.setattr(adversarial_success, "READERS", ("gpt", "gpt-chat"))
    monkeypatch.setattr(human_or_bot_classifier, "SPLITS", 2)
    talks = factories.questions_and_answers(45)
    asked = [Question([turn.text for turn in talk.turns[:at]], talk.turns[at].text) for talk in talks for at in (1, 3)]
    judge = ReaderJudge([Babbler(), Babbler()], asked)
    assert judge.name in JUDGES and judge.sanity.random > 0.9 and judge.accuracy > 0.9
    contexts = [["what fine soup"], ["hello what soup"]]
    people, noise = (judge.score(contexts, [text] * 2) for text in ("it is fine thank you", "zq xv! jk8 qqq #w"))
    assert (people > 0).all() and (noise < 0).all()
