"""The service as an app: routes, doors and the bots behind them (notebook 14).

>>> from helpers.bots import checkpoints
>>> app = create_app([checkpoints.load("gpt-chat")])  # doctest: +SKIP

Any ASGI server runs it; ``helpers.serving.server`` does with uvicorn. Needs the extra [serve].
"""

from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager

from fastapi import FastAPI
from starlette.exceptions import HTTPException

from helpers.serving.errors import ServiceError
from helpers.serving.middleware import Body, Journal, Keys, SameSite, send_error
from helpers.serving.routes import router
from helpers.serving.service import Service
from helpers.serving.settings import Settings


def create_app(bots: Mapping[str, object] | Iterable, settings: Settings | None = None) -> FastAPI:
    """Return the app that serves ``bots``: a list of bots, or {name: bot}; in a bot's place may stand an engine.

    Its state is ``app.state.service``, a ``Service``. The engines stop when the app's lifespan ends. The pages that FastAPI
    offers to describe an app are off: they load scripts from another site. Raises ValueError without a bot, and for two of one
    name; OSError when the log cannot be written.
    """
    settings = settings or Settings()
    named = list(bots.items()) if isinstance(bots, Mapping) else [(bot.name, bot) for bot in bots]
    if not named or len(dict(named)) < len(named):
        raise ValueError("give at least one bot to serve, and each a name of its own")
    engines = {name: bot if hasattr(bot, "submit") else _engine(bot, settings) for name, bot in named}
    service = Service(engines, settings)

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        yield
        service.close()

    handlers = {ServiceError: _service_error, HTTPException: _http_error}
    app = FastAPI(lifespan=lifespan, openapi_url=None, redirect_slashes=False, exception_handlers=handlers)
    app.state.service = service
    app.include_router(router)
    # The last that is added is the first that a request meets.
    app.add_middleware(Body, most=settings.max_body, seconds=settings.body_timeout)
    app.add_middleware(Keys, service=service)
    app.add_middleware(SameSite, hosts=settings.hosts)
    app.add_middleware(Journal, service=service, templates=[(route.path, route.path_regex) for route in router.routes])
    return app


def _engine(bot, settings: Settings):
    from helpers.serving.engine import Engine  # brings torch, which an app on other engines does not need

    return Engine(bot, batch_size=settings.batch_size, max_waiting=settings.max_waiting)


async def _service_error(request, error: ServiceError):
    async def answer(scope, receive, send):
        await send_error(error, send)

    return answer


async def _http_error(request, error: HTTPException):
    """Say 404 and 405 in the API's shape, too; the path, which anyone may have written, is not repeated."""
    message = {404: "there is nothing at this address", 405: "this address is asked with another method"}
    return await _service_error(
        request, ServiceError(error.status_code, message.get(error.status_code, "not possible"))
    )
