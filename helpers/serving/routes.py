"""What can be asked: the routes of the service (notebook 14). Their shapes are those of OpenAI's API."""

from functools import partial
from pathlib import Path

from fastapi import APIRouter, Request
from starlette.responses import HTMLResponse, JSONResponse, Response

from helpers.serving.answers import Reply, Shape, model_card
from helpers.serving.conversation import history
from helpers.serving.errors import ServiceError
from helpers.serving.exchange import COMPLETE, Exchange
from helpers.serving.middleware import header
from helpers.serving.parsing import parse_object
from helpers.serving.requests import Closed, Full
from helpers.serving.requests import Request as EngineRequest
from helpers.serving.schemas import ChatRequest, CompletionRequest, Sampling, read
from helpers.serving.streaming import SLACK, begun

router = APIRouter()
PAGE = Path(__file__).with_name("chat.html")
# The page is one file, and talks to nobody but us (W3C, Content Security Policy).
PAGE_HEADERS = {
    "content-security-policy": (
        "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; connect-src 'self'; img-src data:; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "referrer-policy": "no-referrer",
    "cache-control": "no-store",
}


# --- what it is, and how it does ----------------------------------------------------------------------------------------


@router.get("/")
async def page() -> Response:
    """The chat page."""
    return HTMLResponse(PAGE.read_text(encoding="utf-8"), headers=PAGE_HEADERS)


@router.get("/health/live")
async def live() -> Response:
    """Whether the process answers at all: if not, start it again."""
    return JSONResponse({"status": "ok"})


@router.get("/health/ready")
async def ready(request: Request) -> Response:
    """Whether it takes new requests: if not (503), send them elsewhere."""
    service = request.app.state.service
    models = {name: {"waiting": engine.waiting, "running": engine.running} for name, engine in service.engines.items()}
    if service.ready:
        return JSONResponse({"status": "ok", "models": models})
    return JSONResponse({"status": "stopping", "models": models}, 503, {"retry-after": "5"})


@router.get("/metrics")
async def metrics(request: Request) -> Response:
    """What Prometheus reads."""
    body, kind = request.app.state.service.metrics.exposition()
    return Response(body, headers={"content-type": kind})


@router.get("/v1/models")
async def models(request: Request) -> Response:
    """The bots that are served."""
    service = request.app.state.service
    return JSONResponse({"object": "list", "data": [model_card(name, service.started) for name in service.engines]})


@router.get("/v1/models/{model}")
async def model(request: Request, model: str) -> Response:
    """One bot. 404 for one that is not served."""
    service = request.app.state.service
    service.engine(model)
    return JSONResponse(model_card(model, service.started))


# --- what it says -------------------------------------------------------------------------------------------------------


@router.post("/v1/chat/completions")
async def chat(request: Request) -> Response:
    """Answer a conversation."""
    service = request.app.state.service
    wanted = await _wanted(request, ChatRequest)
    turns, left_out = history(wanted.messages, service.settings.max_messages)
    return await _answer(
        request, wanted, {"history": turns}, "\n".join(turns), {"x-left-out": "system"} if left_out else {}
    )


@router.post("/v1/completions")
async def completions(request: Request) -> Response:
    """Go on with a text."""
    wanted = await _wanted(request, CompletionRequest)
    text = wanted.text()
    return await _answer(request, wanted, {"prompt": text}, text, {})


async def _wanted(request: Request, kind):
    """Return a request's body, checked. Raises ServiceError: 503, 415 or 400."""
    service = request.app.state.service
    service.check_ready()
    content_type = (header(request.scope, b"content-type") or "").partition(";")[0].strip().lower()
    if content_type != "application/json":  # a form or a plain text is what a page of another site could send unasked
        raise ServiceError(415, "send the header Content-Type: application/json")
    return read(kind, parse_object(await request.body()), service.settings)


async def _answer(request: Request, wanted: Sampling, prompt: dict, text: str, headers: dict) -> Response:
    """Submit the replies and return the answer, whole or as a stream."""
    service, record = request.app.state.service, request.scope["record"]
    engine = service.engine(wanted.model)
    record.more |= {"model": wanted.model, "stream": bool(wanted.stream), "prompt": service.log.of_text(text)}
    exchange = Exchange(engine, record, request.receive)
    scores = wanted.alternatives() is not None
    replies = [Reply(scored=[] if scores else None) for _ in range(wanted.n or 1)]
    shape = Shape(
        "history" in prompt, record.id.replace("req", "chatcmpl" if "history" in prompt else "cmpl"), wanted.model
    )
    done = partial(_done, service, exchange, replies)
    try:
        await exchange.submit(_requests(wanted, prompt, service.settings.deadline - record.seconds()))
        if wanted.stream:
            usage = bool(wanted.stream_options and wanted.stream_options.include_usage)
            seconds = service.settings.deadline - record.seconds() + SLACK
            return await begun(exchange, shape, replies, usage, headers, done, seconds)
        async for number, piece in exchange.pieces():
            replies[number].add(piece)
        body = shape.whole(replies, exchange.usage)
    except BaseException as error:
        done()
        raise _translated(error) from None
    done()
    return JSONResponse(body, headers=headers)


def _requests(wanted: Sampling, prompt: dict, seconds: float) -> list:
    """Return a request for the engine per reply. Of several, each has a seed of its own: the given one, then the next."""
    given = {name: getattr(wanted, name) for name in ("temperature", "top_p", "top_k", "repetition_penalty")}
    given = {name: value for name, value in given.items() if value is not None}  # else the bot's usual value
    shared = {
        "max_tokens": wanted.limit(),
        "stop": wanted.stops(),
        "logprobs": wanted.alternatives(),
        "deadline": seconds,
    }
    seeds = [None if wanted.seed is None else wanted.seed + number for number in range(wanted.n or 1)]
    return [EngineRequest(**prompt, **given, **shared, seed=seed) for seed in seeds]


def _translated(error: BaseException) -> BaseException:
    """Return what a client hears of an engine's error."""
    if isinstance(error, Full):
        return ServiceError(503, "too many requests are waiting already; try again soon", retry_after=1)
    if isinstance(error, Closed):
        return ServiceError(503, "the service is stopping", code="stopping", retry_after=5)
    return error


def _done(service, exchange: Exchange, replies: list[Reply]) -> None:
    """Stop what still runs, and note what a request has cost."""
    exchange.close()
    record, usage = exchange.record, exchange.usage
    model = record.more["model"]
    service.limits.charge(record.person, usage.read + usage.written)
    if not exchange.tickets:
        return  # it was refused: nothing has been read
    service.metrics.tokens(model, usage.read, usage.written)
    complete = len(exchange.ends) == len(replies) and set(exchange.ends) <= set(COMPLETE)
    service.metrics.seconds(model, exchange.first, record.seconds() if complete else None)
    record.more |= {
        "tokens_read": usage.read,
        "tokens_written": usage.written,
        "first_token": None if exchange.first is None else round(exchange.first, 4),
        "finish": exchange.ends,
        "replies": [service.log.of_text(reply.text) for reply in replies],
    }
