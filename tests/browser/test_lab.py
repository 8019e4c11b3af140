"""A person's first quarter of an hour, in a real browser: `make lab`, Run All, a control moved by keyboard.

Needs Chromium from the system (`apt install chromium`, or Chrome). Lab saves what it opens, so it works on a copy.
Screenshots go to the folder in HELPERS_SCREENSHOTS, or to pytest's own temporary folder.
"""

import json
import os
import re
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import nbformat
import pytest

from tests.notebooks import books

sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed: make setup")

pytestmark = pytest.mark.skipif(shutil.which("make") is None, reason="make is not installed")
# The whole notebook in the page, also what is out of sight: else cells are drawn only when scrolled to.
SETTINGS = {"@jupyterlab/notebook-extension/tracker.jupyterlab-settings": {"windowingMode": "none"}}
ERROR = "[data-mime-type='application/vnd.jupyter.error']"
PROMPTS = "[...document.querySelectorAll('.jp-CodeCell .jp-InputPrompt')].map(prompt => prompt.textContent)"


# Two short notebooks beside those of the course: one live picture without a training, and a training that is watched.
FORWARD_PASS, TRAINING = "forward_pass.ipynb", "training.ipynb"
OURS = {
    FORWARD_PASS: [
        "from helpers.bots import checkpoints\nfrom helpers.show import explore_forward_pass, forward_pass\n\n"
        'bot = checkpoints.load("gpt")\ntext = "My dog learned to open the fridge, and"',
        'forward_pass(bot.model, bot.tokenizer, text, step="attention 0")',
        "explore_forward_pass(bot.model, bot.tokenizer, text)",
    ],
    TRAINING: [
        "import torch\n\nfrom helpers.corpus.batches.token_stream import WindowBatches\n"
        "from helpers.models.gpt import GPT, GPTConfig\nfrom helpers.show import LiveCurve\n"
        "from helpers.training.loop import fit\n\n"
        "torch.manual_seed(0)\nmodel = GPT(GPTConfig(5, n_layer=1, n_head=1, n_embd=16, context=16))\n"
        "batches = WindowBatches(torch.arange(2_000) % 5, 8, 16)",
        'curve = LiveCurve({"guessing": 1.61}, every=0.1)\ncurve.show()',
        "history = fit(model, batches, steps=60, learning_rate=1e-2, callbacks=[curve])",
    ],
}


def notebook(cells: list[str]):
    kernel = {"kernelspec": {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"}}
    return nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells], metadata=kernel)


@pytest.fixture(scope="module")
def screenshots(tmp_path_factory) -> Path:
    named = os.environ.get("HELPERS_SCREENSHOTS")
    folder = Path(named) if named else tmp_path_factory.mktemp("screenshots")
    folder.mkdir(parents=True, exist_ok=True)
    return folder


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    """JupyterLab, started as `make lab` starts it; yields (address, token)."""
    folder = tmp_path_factory.mktemp("lab")
    course = folder / "course"
    course.mkdir()
    for name in ("Makefile", "pyproject.toml", "constraints.txt"):
        shutil.copy(books.ROOT / name, course)
    for name in (".make", "notebooks"):
        shutil.copytree(books.ROOT / name, course / name)
    for name, cells in OURS.items():
        nbformat.write(notebook(cells), course / "notebooks" / name)
    stamp = folder / "installed"  # written last, so that make finds nothing to install
    stamp.write_text(f"{course.resolve()}\n", encoding="utf-8")
    for name, value in SETTINGS.items():
        place = folder / "settings" / name
        place.parent.mkdir(parents=True)
        place.write_text(json.dumps(value), encoding="utf-8")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    token = secrets.token_hex(16)
    options = f"--no-browser --port {port} --ServerApp.port_retries=0 --IdentityProvider.token={token}"
    options += f" --LabApp.user_settings_dir={folder / 'settings'} --LabApp.workspaces_dir={folder / 'workspaces'}"
    own = {"JUPYTER_RUNTIME_DIR": str(folder / "runtime")}  # make keeps all other settings of this person's away
    command = ["make", "lab", f"VENV={sys.prefix}", f"STAMP={stamp}", f"SETTINGS={folder / 'etc'}", f"ARGS={options}"]
    address = f"http://127.0.0.1:{port}"
    with open(folder / "log", "w+", encoding="utf-8") as log:
        # A group of its own, so that make, Lab and the kernels can be stopped together.
        process = subprocess.Popen(
            command, cwd=course, env=os.environ | own, stdout=log, stderr=log, start_new_session=True
        )
        try:
            _wait_for(f"{address}/api/status?token={token}", process, folder / "log")
            yield address, token
        finally:
            _stop(process)


def _wait_for(address: str, process, log: Path, seconds: int = 60) -> None:
    for _ in range(5 * seconds):
        try:
            urllib.request.urlopen(address, timeout=2)
            return
        except OSError:
            if process.poll() is not None:
                break
            time.sleep(0.2)
    pytest.fail("JupyterLab did not start:\n" + log.read_text(encoding="utf-8")[-3000:])


def _stop(process) -> None:
    """End make and Lab; asked politely, Lab shuts its kernels down first."""
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGTERM)
    try:
        process.wait(15)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait(15)


@pytest.fixture(scope="module")
def page(browser, lab):
    page = browser.new_page(viewport={"width": 1280, "height": 1500})
    page.set_default_timeout(30_000)
    return page


def idle(page) -> None:
    page.locator("#jp-main-statusbar").get_by_text("| Idle").wait_for(timeout=60_000)


def run_all(page, lab, name: str) -> None:
    """Open a notebook and run all its cells; return when each has its number."""
    address, token = lab
    # 00 is what Lab opens by itself; "reset" closes what was open before.
    where = f"?token={token}" if name.startswith("00") else f"lab/tree/notebooks/{name}?token={token}&reset"
    page.goto(f"{address}/{where}")
    page.locator(".jp-Notebook .jp-Cell").first.wait_for(timeout=60_000)
    assert page.url.split("?")[0].endswith(f"/lab/tree/notebooks/{name}")
    idle(page)
    # The stored numbers would look like a finished run.
    page.get_by_role("menuitem", name="Edit", exact=True).click()
    page.get_by_role("menuitem", name="Clear Outputs of All Cells", exact=True).click()
    page.wait_for_function(f"() => {PROMPTS}.every(text => !/\\d/.test(text))")
    for _ in range(4):  # a Run All that comes too early, while the session is wired up, is dropped silently
        page.get_by_role("menuitem", name="Run", exact=True).click()
        page.get_by_role("menuitem", name="Run All Cells", exact=True).click()
        try:
            page.wait_for_function(
                f"() => {PROMPTS}.some(text => /\\[(\\*|\\d+)\\]/.test(text))", timeout=5_000
            )
            break
        except sync_api.TimeoutError:
            continue
    # Done when every cell has its number; after an error Lab runs no further cell.
    done = f"() => {PROMPTS}.every(text => /^\\[\\d+\\]:$/.test(text)) || document.querySelector(`{ERROR}`)"
    page.wait_for_function(done, timeout=600_000)  # a slow computer that does other work, too
    idle(page)


def move(page, live) -> None:
    """Move the first slider of a live picture by one key: picture and words must change."""
    slider, words = live.get_by_role("slider").first, live.locator(".jp-OutputArea [role=status]").last
    before = words.inner_text()
    assert len(before.split()) >= 5
    picture = live.locator(".jp-OutputArea svg").last.evaluate("drawing => drawing.outerHTML")
    slider.scroll_into_view_if_needed()
    slider.focus()
    at_the_start = slider.get_attribute("aria-valuenow") == slider.get_attribute("aria-valuemin")
    page.keyboard.press("ArrowRight" if at_the_start else "ArrowLeft")
    sync_api.expect(words).not_to_have_text(before)
    assert words.inner_text().strip() and "does not work" not in words.inner_text()
    assert live.locator(".jp-OutputArea svg").last.evaluate("drawing => drawing.outerHTML") != picture
    idle(page)


def talk(page, message: str) -> None:
    """Type into the chat box of the page and wait for the bot's reply."""
    box = page.locator(".jp-OutputArea", has=page.locator("[role=log]")).last
    line = box.get_by_placeholder("write, then press Enter")
    line.scroll_into_view_if_needed()
    line.fill(message)
    page.keyboard.press("Enter")
    bubbles = box.locator("[role=log] p")  # the message, then the reply; while it is written, a note stands there
    sync_api.expect(bubbles).to_have_count(2)
    sync_api.expect(bubbles.nth(1)).to_contain_text(re.compile(r"^[\w, -]+: *\S"))
    assert message in bubbles.nth(0).inner_text()
    idle(page)


# Name, how many live pictures are moved, whether there is a bot to talk to.
@pytest.mark.parametrize(
    "name, pictures, bot",
    [
        ("00_start_here.ipynb", 1, True),
        ("01_from_dump_to_conversations.ipynb", 1, True),
    ],
)
def test_a_notebook_runs_and_answers_the_keyboard(page, lab, screenshots, name, pictures, bot):
    try:
        run_all(page, lab, name)
        assert not page.locator(ERROR).all_inner_texts()
        assert page.locator("[data-mime-type='application/vnd.jupyter.stderr']").count() == 0

        # A live picture: a control above words that a screen reader is told about when they change.
        live = page.locator(".jp-CodeCell", has=page.locator(".jp-OutputArea [role=status]"))
        live = live.filter(has=page.get_by_role("slider"))
        for number in range(pictures):
            move(page, live.nth(number))
        if bot:
            talk(page, "My dog learned to open the fridge.")
        page.wait_for_timeout(500)
    finally:
        page.screenshot(path=screenshots / f"{Path(name).stem}.png")
    assert not page.get_by_text(re.compile("official Jupyter news")).count(), (
        "a pop-up stands before the notebook"
    )


def test_a_training_is_watched_while_it_runs(page, lab, screenshots):
    """When the last step is done, the curve that was shown before the first one tells of it, and the bar is full."""
    try:
        run_all(page, lab, TRAINING)
        assert not page.locator(ERROR).all_inner_texts()
        curve, bar = (page.locator(".jp-CodeCell").nth(number).locator(".jp-OutputArea") for number in (1, 2))
        drawing = curve.locator("svg[role=img]")
        sync_api.expect(drawing).to_have_attribute("aria-label", re.compile("^Loss after 60 steps: .* guessing, 1.61, is beaten"))
        assert drawing.locator("path, polyline").count() > 3
        sync_api.expect(bar).to_contain_text("60/60")
    finally:
        page.screenshot(path=screenshots / "training.png")


def test_one_forward_pass_is_walked_through_with_the_arrow_keys(page, lab, screenshots):
    """Every step has its own picture and words; the other sliders move them, too."""
    try:
        run_all(page, lab, FORWARD_PASS)
        assert not page.locator(ERROR).all_inner_texts()
        static, live = (page.locator(".jp-CodeCell").nth(number) for number in (1, 2))
        assert "attends most" in static.locator(".jp-OutputArea").inner_text()
        words, picture = live.locator("[role=status]"), live.locator(".jp-OutputArea svg").last
        step, position, head, appended = (live.get_by_role("slider").nth(number) for number in range(4))
        seen, last = [], 18
        step.scroll_into_view_if_needed()
        step.focus()
        for number in range(last + 1):
            sync_api.expect(words).to_contain_text(re.compile(f"^Step {number} of {last}, "))
            seen.append((words.inner_text(), picture.evaluate("drawing => drawing.outerHTML")))
            if number == 7:
                live.screenshot(path=screenshots / "forward_pass_step.png")
            page.keyboard.press("ArrowRight")
        assert len(set(seen)) == last + 1
        sync_api.expect(words).to_contain_text("the next forward pass reads 12 tokens")

        # Where there is one more token, the position goes along; then back to an earlier token and another head.
        appended.focus()
        page.keyboard.press("ArrowRight")
        sync_api.expect(words).to_contain_text("(position 11)")
        position.focus()
        page.keyboard.press("ArrowLeft")
        sync_api.expect(words).to_contain_text("The text goes on with")
        step.focus()
        for _ in range(last - 6):  # back to queries and keys of block 1
            page.keyboard.press("ArrowLeft")
        sync_api.expect(words).to_contain_text("Step 6 of 18, block 1, queries · keys. Head 0 ")
        head.focus()
        page.keyboard.press("ArrowRight")
        sync_api.expect(words).to_contain_text("Head 1 compares the query of “and” (position 10)")
        idle(page)
    finally:
        page.screenshot(path=screenshots / "forward_pass.png")
