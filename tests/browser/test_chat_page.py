"""The service's chat page in a real browser: streaming, by keyboard alone, narrow and wide, light and dark, and safe."""

import time

import pytest

pytest.importorskip("fastapi", reason="needs the extra [serve]: make extras")

WORDS = ("Hello", " there", ", <b>you</b>", "<img src=x onerror=\"document.title='run'\">")


@pytest.fixture
def chat(browser):
    """A function: serve an engine with these settings, open the page, return (page, engine, what the console said)."""
    from contextlib import ExitStack

    from helpers.serving.server import serving
    from helpers.serving.settings import Settings
    from tests.serving.stub_engine import StubEngine

    with ExitStack() as stack:

        def opened(width=800, scheme="light", engine=None, **settings):
            engine, console = engine or StubEngine(WORDS), []
            url = stack.enter_context(
                serving({"gpt": engine, "rnn": StubEngine(("no",))}, Settings(notice=0, **settings))
            )
            context = browser.new_context(viewport={"width": width, "height": 700}, color_scheme=scheme)
            stack.callback(context.close)
            page = context.new_page()
            page.set_default_timeout(15_000)
            page.on("console", lambda message: console.append(message.text))
            page.on("pageerror", lambda error: console.append(str(error)))
            page.goto(url)
            return page, engine, console

        yield opened


def until(page, expression):
    """Wait until a JavaScript expression is true (Playwright's own wait would need ``eval``, which our page forbids)."""
    last = time.monotonic() + 15
    while not page.evaluate(expression):
        assert time.monotonic() < last, f"{expression}: {page.locator('#state').inner_text()}"
        page.wait_for_timeout(20)


def send(page, text="Hi"):
    page.get_by_label("Your message").fill(text)
    page.keyboard.press("Enter")


@pytest.mark.parametrize("width", [390, 1280])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_conversation_by_keyboard(chat, width, scheme, tmp_path):
    page, engine, console = chat(width, scheme)
    until(page, "document.getElementById('model').options.length == 2")
    page.get_by_label("Bot").focus()
    for _ in range(4):
        page.keyboard.press("Tab")  # temperature, key, the conversation, the message
    page.keyboard.type("Hi")
    page.keyboard.press("Shift+Enter")
    page.keyboard.type("there")
    page.keyboard.press("Enter")
    until(page, "document.getElementById('heard').textContent.startsWith('gpt: Hello')")
    assert page.locator("#talk li").all_inner_texts()[0].endswith("Hi\nthere")
    page.keyboard.type("And you?")
    page.keyboard.press("Enter")
    until(page, "document.querySelectorAll('#talk li').length == 4 && !document.getElementById('send').disabled")
    assert list(engine.requests[1].history) == ["Hi\nthere", "".join(WORDS), "And you?"]
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    back = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert back == ("rgb(255, 255, 255)" if scheme == "light" else "rgb(22, 24, 29)")
    assert console == []


def test_markup_in_a_reply_stays_text(chat):
    page, _, console = chat()
    send(page, "<i>me</i>")
    until(page, "document.getElementById('heard').textContent.startsWith('gpt: Hello')")
    page.wait_for_timeout(200)
    assert page.locator("#talk b").count() == 2 and page.locator("#talk img, #talk i").count() == 0
    assert page.title() == "Chat" and console == []
    assert "<i>me</i>" in page.locator("#talk li").first.inner_text()


def test_words_come_as_they_are_written_and_stop_stops(chat):
    from tests.serving.stub_engine import StubEngine

    page, engine, console = chat(engine=StubEngine(WORDS, hold=True, said=2))
    send(page)
    until(page, "document.querySelector('#talk li:last-child span').textContent == 'Hello there'")
    assert engine.running == 1
    page.get_by_role("button", name="Stop").click()
    until(page, "document.getElementById('state').textContent == 'Stopped.'")
    assert engine.tickets[0].canceled.wait(10)
    assert page.locator("#talk li").count() == 2 and console == []


@pytest.mark.parametrize("said", [0, 2])
def test_a_new_conversation_knows_nothing_of_a_reply_that_was_cut_off(chat, said):
    from tests.serving.stub_engine import StubEngine

    page, engine, console = chat(engine=StubEngine(WORDS, hold=True, said=said))
    send(page, "Old")
    until(page, f"(document.querySelector('#talk li.assistant span')?.textContent ?? '') == '{''.join(WORDS[:said])}'")
    until(page, f"document.querySelectorAll('#talk li').length == {2 if said else 1}")
    page.get_by_role("button", name="New conversation").click()
    until(page, "!document.getElementById('send').disabled")
    assert page.locator("#state").inner_text() == "A new conversation." and page.locator("#talk li").count() == 0
    assert page.get_by_label("Your message").input_value() == ""
    engine.go.set()
    send(page, "New")
    until(page, "document.getElementById('heard').textContent.startsWith('gpt: Hello')")
    assert list(engine.requests[-1].history) == ["New"] and console == []


def test_a_key_is_asked_for_and_kept_out_of_sight(chat):
    from helpers.serving.keys import digest

    page, engine, _ = chat(keys={"me": digest("sk-secret")})
    until(page, "document.getElementById('state').textContent.includes('key')")
    page.get_by_label("Key").fill("sk-secret")
    page.keyboard.press("Tab")
    until(page, "document.getElementById('model').options.length == 2")
    send(page)
    until(page, "document.getElementById('heard').textContent.startsWith('gpt: Hello')")
    assert "sk-secret" not in page.url and page.evaluate("localStorage.length + sessionStorage.length") == 0
    assert page.evaluate("document.cookie") == ""


def test_a_refusal_is_said_in_words_and_the_message_is_not_lost(chat):
    from tests.serving.stub_engine import StubEngine

    page, _, _ = chat(engine=StubEngine(room=0))
    send(page, "My long message")
    until(page, "document.getElementById('state').className == 'wrong'")
    assert "too many requests are waiting" in page.locator("#state").inner_text()
    assert page.get_by_label("Your message").input_value() == "My long message"
    assert page.locator("#talk li").count() == 0
