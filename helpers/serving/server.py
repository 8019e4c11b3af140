"""The app on a port: uvicorn, for as long as a ``with`` lasts or until a signal comes (notebook 14)."""

import socket
import sys
import threading
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing, contextmanager

import uvicorn

from helpers.serving.app import create_app
from helpers.serving.settings import Settings

STARTING = 30.0  # seconds that a server may need to begin
NOTICED = 0.1  # seconds between two looks of uvicorn at whether it should stop


class Server(uvicorn.Server):
    """Stops in order: first it takes no more requests and says so, then it finishes what runs, then it closes its door.

    uvicorn alone closes its door at once: nobody could ever hear that the service is not ready.
    """

    def __init__(self, config: uvicorn.Config, service):
        super().__init__(config)
        self.service = service

    def handle_exit(self, sig, frame) -> None:
        """Begin to stop at the first signal; at the second one stop at once."""
        if self.service.ready:
            self.service.drain()
        else:
            self.should_exit = self.force_exit = True

    async def on_tick(self, counter: int) -> bool:
        return await super().on_tick(counter) or self.service.drained()


def _server(bots, settings: Settings) -> Server:
    app = create_app(bots, settings)
    config = uvicorn.Config(
        app,
        log_config=None,  # our own log is the only one: uvicorn's would have addresses in it
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=1,  # seconds for connections without a request; requests have had their grace before
        timeout_keep_alive=5,
        lifespan="on",
        ws="none",
    )
    return Server(config, app.state.service)


def bound(host: str, port: int) -> socket.socket:
    """Return a socket that listens on ``host`` and ``port`` (0: any free one).

    Raises OSError, saying what to do, when the port is taken or may not be used.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    door = socket.socket(family, socket.SOCK_STREAM)
    try:
        if sys.platform != "win32":
            door.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # where the last server ran a moment ago
        door.bind((host, port))
        door.listen(128)
    except (OSError, OverflowError) as error:
        door.close()
        why = getattr(error, "strerror", None) or "no such port"
        raise OSError(
            f"cannot listen on {host}, port {port} ({why}): choose another with --port, or 0 for any"
        ) from None
    return door


@contextmanager
def serving(
    bots: Mapping[str, object] | Iterable, settings: Settings | None = None, *, port: int = 0, host: str = "127.0.0.1"
) -> Iterator[str]:
    """Serve ``bots`` in a thread while the ``with`` lasts; the value is the address, "http://127.0.0.1:PORT".

    At its end the service stops in order, within ``settings.grace`` seconds and a few more. Raises OSError when the port is
    taken, RuntimeError when the server does not begin, or does not end.
    """
    settings = settings or Settings()
    with closing(bound(host, port)) as door:
        server = _server(bots, settings)
        thread = threading.Thread(target=server.run, args=([door],), name="serving", daemon=True)
        try:
            thread.start()
            _wait_for_start(server, thread)
            yield f"http://{host}:{door.getsockname()[1]}"
        finally:
            server.service.drain()
            thread.join(settings.grace + 10)
            server.service.close()
            if thread.is_alive():
                raise RuntimeError("the server did not stop in time")


def _wait_for_start(server: Server, thread: threading.Thread) -> None:
    last = time.monotonic() + STARTING
    while not server.started:
        if not thread.is_alive() or time.monotonic() > last:
            raise RuntimeError("the server did not start")
        time.sleep(0.01)


def serve(bots: Mapping[str, object] | Iterable, settings: Settings, door: socket.socket) -> None:
    """Serve ``bots`` on a socket from ``bound`` until SIGINT or SIGTERM comes: a second one stops at once."""
    with closing(door):
        server = _server(bots, settings)
        try:
            server.run([door])
        finally:
            server.service.close()
