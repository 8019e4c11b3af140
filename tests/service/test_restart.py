"""The service is stopped and started while people talk to it: whoever was let in gets the whole reply."""

import signal
import threading
import time

import pytest

pytest.importorskip("fastapi", reason="needs the extra [serve]: make extras")


def test_a_restart_under_load_loses_no_accepted_request():
    from helpers.serving.load import Load, together
    from tests.service.command import started

    outcomes = []

    def load(url):
        outcomes.extend(together(Load(url, "gpt-small", max_tokens=60), clients=6, requests=150)[0])

    with started("--grace", "30", bots=["gpt-small"]) as (process, url):
        port = int(url.rpartition(":")[2])
        clients = threading.Thread(target=load, args=(url,))
        clients.start()
        time.sleep(1.0)
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 0
        assert process.stderr.read() == "" and "has stopped" in process.stdout.read()
    clients.join(60)
    first, outcomes[:] = list(outcomes), []
    accepted = [each for each in first if each.status == 200]
    assert len(first) == 150 and len(accepted) >= 6
    assert [each for each in accepted if not each.complete] == []
    assert {each.status for each in first if not each.complete} <= {
        0,
        503,
    }  # refused in words, or nobody there any more
    assert any(not each.complete for each in first), "the service had nothing left to refuse: the test shows nothing"

    with started(bots=["gpt-small"], port=port) as (_, url):
        load(url)
    assert [each for each in outcomes if not each.complete] == []


def test_people_who_leave_leave_nothing_behind():
    import gc

    import psutil

    from helpers.bots.bot import Bot
    from helpers.corpus.tokenizers.bpe import BPETokenizer
    from helpers.serving.load import Load, summary, together
    from helpers.serving.server import serving
    from helpers.serving.settings import Settings
    from tests import factories
    from tests.service.test_openai_client import gauge

    tokenizer = BPETokenizer([])
    bot = Bot(factories.gpt(len(tokenizer), "gpt2", std=0.3, context=64), tokenizer, "tiny")
    before = threading.active_count()
    with serving([bot], Settings(notice=0)) as url:
        sizes = []
        for seed in range(3):
            outcomes = together(Load(url, "tiny", max_tokens=12), clients=8, requests=100, leaving=0.2, seed=seed)
            assert summary(*outcomes)["failed"] == 0 and summary(*outcomes)["left"] > 5
            gc.collect()
            sizes.append(psutil.Process().memory_info().rss)
        last = time.monotonic() + 10
        while gauge(url, "chat_requests_running") + gauge(url, "chat_requests_waiting") and time.monotonic() < last:
            time.sleep(0.01)
        assert gauge(url, "chat_requests_running") == gauge(url, "chat_requests_waiting") == 0
    assert sizes[2] - sizes[1] < 20e6
    last = time.monotonic() + 20
    while threading.active_count() > before and time.monotonic() < last:
        time.sleep(0.01)  # those that waited for work notice that the event loop has ended
    assert threading.active_count() <= before, [thread.name for thread in threading.enumerate()]
