"""Talk to a bot: a line to write in, a button, and the transcript.

Built for notebook 00, used by every notebook that has a bot: anything with ``reply(history, **settings) -> str``.
"""

from __future__ import annotations

from collections.abc import Mapping

from helpers.show.display import CONTROL, WIDE, Widget, html
from helpers.show.theme import BLUE, INK, PAPER, RULE, SOFT, wrap, xml

UNSEEN = "position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%)"
LONGEST = 500  # characters of one message that are passed on to the bot


class ChatBox(Widget):
    """A conversation between you and `bot`, which sees ``history`` as a list of messages, yours first.

    `history` holds messages so far, yours and the bot's in turn; `temperature` adds a slider that starts there and
    is passed on as ``bot.reply(history, temperature=…)``. A message over 500 characters is cut with a notice, and
    when the bot fails, the transcript says how. Given a dict of bots by name, the box has a menu of them, and the
    conversation begins anew with each; ``name`` is the one it starts with (the first, if it is none of them). Without a
    browser: ``box.send("hello")``, then read ``box.transcript``. Raises ValueError for a dict without a bot.
    """

    def __init__(self, bot, history=(), temperature: float | None = None, name: str = "Bot"):
        import ipywidgets

        self.bots = dict(bot) if isinstance(bot, Mapping) else {name: bot}
        if not self.bots:
            raise ValueError("there is no bot to talk to: give one, or a dict of bots by their names")
        self.name = name if name in self.bots else next(iter(self.bots))
        self.bot, name = self.bots[self.name], self.name
        self.history = [str(message) for message in history]
        self._lines = [(("You", name)[i % 2], message) for i, message in enumerate(self.history)]
        line = {
            "continuous_update": False,
            "layout": {"width": "min(640px, 98%)"},
            "style": {"description_width": "initial"},
        }
        # Not continuous: the value arrives when Enter is pressed (or the field is left), in ipywidgets 7.7 and 8 alike.
        self.text = ipywidgets.Text(description="Your message", placeholder="write, then press Enter", **line)
        self.button = ipywidgets.Button(description="Send", layout={"width": "90px"})
        self._log, self._aloud = ipywidgets.HTML(layout=WIDE), ipywidgets.HTML()
        rows = [self._log, self._aloud, ipywidgets.HBox([self.text, self.button], layout={"flex_flow": "row wrap"})]
        self.temperature = None
        if temperature is not None:
            self.temperature = ipywidgets.FloatSlider(
                value=temperature, min=0.1, max=2.0, step=0.1, description="Temperature", **line
            )
            rows.append(self.temperature)
        self.menu = None
        if len(self.bots) > 1:
            self.menu = ipywidgets.Dropdown(options=list(self.bots), value=name, description="Talk to", **CONTROL)
            self.menu.observe(self._chosen, names="value")
            rows.insert(0, self.menu)
        self.widget = ipywidgets.VBox(rows)
        self.text.observe(self._typed, names="value")
        self.button.on_click(self._typed)
        self._draw()

    @property
    def transcript(self) -> str:
        """The conversation so far in words, one message a line."""
        return "\n".join(f"{who}: {text}" for who, text in self._lines) or f"No message to {self.name} yet."

    def send(self, message: str) -> None:
        """Send `message` to the bot, as typing it would; reply or failure are added to the transcript."""
        message = str(message).strip()
        if not message:
            return
        self._lines.append(("You", message[:LONGEST]))
        if len(message) > LONGEST:
            notice = f"your message had {len(message):,} characters, {self.name} reads the first {LONGEST}"
            self._lines.append(("Note", notice))
        self.history.append(message[:LONGEST])
        self._draw(f"{self.name} is writing …")
        settings = {"temperature": self.temperature.value} if self.temperature else {}
        try:
            reply = str(self.bot.reply(list(self.history), **settings))
        except Exception as error:  # the conversation goes on; the failed message is taken back
            self.history.pop()
            reason = str(error) or "no reason given"
            self._lines.append(("Note", f"{self.name} could not answer ({type(error).__name__}): {reason}"))
        else:
            self.history.append(reply)
            self._lines.append((self.name, reply))
        self._draw()

    def _typed(self, _) -> None:
        message, self.text.value = self.text.value, ""  # emptying it comes back here once and sends nothing
        self.send(message)

    def _chosen(self, change) -> None:
        """Begin a new conversation with the bot chosen in the menu."""
        self.name = change["new"]
        self.bot, self.history, self._lines = self.bots[self.name], [], []
        self._draw()

    def _draw(self, waiting: str = "") -> None:
        lines = [*self._lines, ("Note", waiting)] if waiting else self._lines
        body = "".join(_bubble(who, text) for who, text in lines) or _bubble("Note", self.transcript)
        style = f"background:{PAPER};color:{INK};border:1px solid {RULE};border-radius:6px;line-height:1.45"
        # column-reverse keeps the newest line in sight. The whole log is replaced each time, so it must not be
        # announced as a whole: a region that only ears notice repeats the last line.
        self._log.value = (
            f'<div role="log" aria-live="off" aria-label="Conversation with {xml(self.name)}" tabindex="0" '
            f'style="display:flex;flex-direction:column-reverse;max-width:640px;max-height:420px;overflow:auto;'
            f'overflow-wrap:anywhere;padding:10px;{style}"><div>{body}</div></div>'
        )
        who, text = lines[-1] if lines else ("", "")
        spoken = "" if who in ("", "You") else text if who == "Note" else f"{who}: {text}"
        self._aloud.value = f'<div aria-live="polite" style="{UNSEEN}">{xml(spoken)}</div>'

    def __repr__(self) -> str:
        return wrap(self.transcript)


def _bubble(who: str, text: str) -> str:
    if who == "Note":
        return f'<p style="margin:4px 0;color:{SOFT};font-style:italic">{html(text)}</p>'
    # Side and name tell the two apart, not only the color.
    style = (
        f"margin-left:18%;background:{BLUE};color:{PAPER}" if who == "You" else "margin-right:18%;background:#eef0f5"
    )
    shape = "margin-top:6px;margin-bottom:6px;padding:6px 10px;border-radius:8px"
    return f'<p style="{shape};{style}"><b>{xml(who)}:</b> {html(text)}</p>'
