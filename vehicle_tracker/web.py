"""What both services do alike: problems, health, metrics, documentation, request ids."""

from __future__ import annotations

import re
import time
from http import HTTPStatus
from itertools import islice
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from flask import Flask, Response, g, json, request
from flask_smorest import Api, Blueprint
from flask_swagger_ui import get_swaggerui_blueprint
from prometheus_client import Histogram
from webargs import core
from webargs.flaskparser import FlaskParser
from werkzeug.exceptions import HTTPException

from vehicle_tracker import strict_json
from vehicle_tracker.errors import TooLarge, TrackerError, Unavailable, Unsupported
from vehicle_tracker.event_log import LOG_UNREACHABLE
from vehicle_tracker.operations import add_operations
from vehicle_tracker.schemas import Problem
from vehicle_tracker.telemetry import bind_contextvars, clear_contextvars, log

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

    from marshmallow import Schema

    from vehicle_tracker.settings import Settings

REQUESTS = Histogram(
    "http_request_seconds", "Time to answer a request", ["service", "route", "method", "status"]
)
PROBLEM = "application/problem+json"
BEGAN = "vehicle_tracker.began"
"""Where in the environment stands when a request began, if somebody else had it before Flask."""
REFUSED = "vehicle_tracker.refused"
"""Where in the environment stands the error for which it was refused there: Flask tells it."""
_MOST_FIELDS = 20
"""Of how many wrong fields the errors are told. A body of some MB can have a million of them."""

_REQUEST_ID = re.compile(r"[\x21-\x7e]{1,128}\Z")


class StrictParser(FlaskParser):
    """Bodies are strict JSON, and a query parameter nobody knows is an error, not ignored."""

    DEFAULT_UNKNOWN_BY_LOCATION = {  # noqa: RUF012 # as the library declares it
        **FlaskParser.DEFAULT_UNKNOWN_BY_LOCATION,
        "query": "raise",
    }

    def _raw_load_json(self, req: Any) -> Any:
        body = req.get_data()
        if not body:
            return core.missing
        if not req.is_json:
            raise Unsupported(
                "unsupported_media_type", "Send the body with Content-Type: application/json."
            )
        return strict_json.loads(body)


class ApiBlueprint(Blueprint):  # type: ignore[misc] # flask-smorest carries no types
    """A blueprint whose arguments are parsed strictly."""

    ARGUMENTS_PARSER = StrictParser()

    def arguments(self, schema: type[Schema], **kwargs: Any) -> Any:
        """Parse arguments by a schema, which is made once: for each request it takes a while."""
        return super().arguments(schema(), **kwargs)

    def refuses(self, status: int, *codes: str, schema: type[Problem] = Problem) -> Any:
        """Document the problems a route answers with a status, by their codes."""
        listed = " or ".join(f"`{code}`" for code in codes)
        return self.alt_response(status, schema=schema, content_type=PROBLEM, description=listed)


class ProblemApi(Api):  # type: ignore[misc] # flask-smorest carries no types
    """The one place that turns errors into answers."""

    ERROR_SCHEMA = Problem

    def _register_responses(self) -> None:
        content = {PROBLEM: {"schema": Problem}}
        for status in HTTPStatus:
            response = {"description": status.phrase, "content": content}
            self.spec.components.response(status.name, response, lazy=True)
        default = {"description": "Something else went wrong", "content": content}
        self.spec.components.response(self.DEFAULT_ERROR_RESPONSE_NAME, default, lazy=True)

    def _register_error_handlers(self) -> None:
        for kind in LOG_UNREACHABLE:
            self._app.register_error_handler(kind, log_unreachable)
        self._app.register_error_handler(TrackerError, problem)
        self._app.register_error_handler(HTTPException, http_problem)
        self._app.register_error_handler(Exception, unexpected_problem)


def create_app(
    service: str, title: str, settings: Settings, ready: Mapping[str, Callable[[], object]]
) -> tuple[Flask, ProblemApi]:
    """A Flask application with everything but its routes.

    `ready` is as of `add_operations`.
    """
    app = Flask(service, static_folder=None)
    app.config.update(
        API_TITLE=title,
        API_VERSION="v1",
        OPENAPI_VERSION="3.1.0",
        OPENAPI_URL_PREFIX="/",
        MAX_CONTENT_LENGTH=settings.max_body_bytes,
    )
    app.json.sort_keys = False  # type: ignore[attr-defined] # the default provider has it
    api = ProblemApi(app)
    app.register_blueprint(
        get_swaggerui_blueprint("/docs", "../openapi.json", config={"app_name": title})
    )
    app.wsgi_app = _with_chunked_bodies(app.wsgi_app)  # type: ignore[assignment,method-assign]
    _observe(app, service)
    add_operations(app, ready)
    return app, api


def answer_seconds(service: str, route: str, method: str, status: int) -> Histogram:
    """The metric of the time it takes to answer so."""
    return REQUESTS.labels(service, route, method, status)


def problem(error: TrackerError) -> Response:
    """Render an error of ours as a problem document."""
    response = _document(error.status, error.title, error.code, error.detail, **error.members)
    if isinstance(error, Unavailable):
        response.headers["Retry-After"] = str(error.retry_after_s)
    return response


def http_problem(error: HTTPException) -> Response:
    """Render what Flask, webargs and Werkzeug raise."""
    status = error.code or 500
    messages = getattr(error, "data", {}).get("messages")
    if messages is not None:
        errors = field_errors(messages)
        return _document(status, "Invalid", "invalid_request", in_words(errors), errors=errors)
    if status == TooLarge.status:
        _read_away()
        return problem(TooLarge("body_too_large", "The body is larger than this service takes."))
    response = _document(
        status, error.name, error.name.lower().replace(" ", "_"), error.description or error.name
    )
    for header, value in error.get_headers():
        if header == "Allow":
            response.headers[header] = value
    return response


def _read_away(most_bytes: int = 64_000_000) -> None:
    """Read the rest of a body, kept nowhere: most clients look for an answer only after sending."""
    if not request.environ.get("wsgi.input_terminated"):
        return
    body = request.environ["wsgi.input"]
    while most_bytes > 0 and (part := body.read(65_536)):
        most_bytes -= len(part)


def log_unreachable(error: Exception) -> Response:
    """The event log cannot be reached: say so, and when to come again."""
    log.error("event log unreachable", error=str(error))
    return problem(Unavailable("event_log_unavailable", "The event log cannot be reached."))


def unexpected_problem(error: Exception) -> Response:
    """A defect of ours: logged whole, told without a traceback."""
    log.error("unexpected error", exc_info=error, path=request.path)
    return _document(500, "Internal error", "internal_error", "This is our fault, and is logged.")


def _document(status: int, title: str, code: str, detail: str, **members: object) -> Response:
    body = {"type": f"urn:vehicle-tracker:problem:{code}", "title": title, "status": status}
    return Response(
        json.dumps({**body, "code": code, "detail": detail, **members}),
        status=status,
        content_type=PROBLEM,
    )


def _flat(messages: Any, path: str = "") -> dict[str, list[str]]:
    """Marshmallow's nested messages as `{"labels.site": ["…"]}`, without the location's name."""
    if not isinstance(messages, dict):
        return {path or "body": [str(message) for message in messages]}
    flat: dict[str, list[str]] = {}
    for key, value in messages.items():
        skip = key == "_schema" or (not path and key in ("json", "query"))
        flat |= _flat(value, path if skip else f"{path}.{key}".lstrip("."))
    return flat


def field_errors(messages: Any) -> dict[str, list[str]]:
    """What marshmallow found, as the `errors` of a problem document: of the first wrong fields."""
    return dict(islice(_flat(messages).items(), _MOST_FIELDS))


def in_words(errors: dict[str, list[str]]) -> str:
    """All field errors in one sentence, for a person who reads no further."""
    named = [f"{field}: {', '.join(texts).rstrip('.')}" for field, texts in errors.items()]
    return f"{'; '.join(named)}."


def _with_chunked_bodies(application: WSGIApplication) -> WSGIApplication:
    """Granian ends its input at the body's end, so that one of unknown length can be read too.

    Werkzeug would take it for empty, and an empty body is a legal heartbeat. Its own server, for
    development, does not end it, and says itself where it does.
    """

    def call(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        if not environ.get("SERVER_SOFTWARE", "").startswith("Werkzeug/"):
            environ["wsgi.input_terminated"] = True
        return application(environ, start_response)

    return call


def _observe(app: Flask, service: str) -> None:
    @app.before_request
    def begin() -> None:
        given = request.headers.get("X-Request-ID", "")
        g.given_request_id = given if _REQUEST_ID.match(given) else None
        g.request_id = g.given_request_id or uuid4().hex
        g.began = request.environ.get(BEGAN) or time.perf_counter()
        bind_contextvars(request_id=g.request_id)
        if refused := request.environ.get(REFUSED):
            raise refused

    @app.after_request
    def end(response: Response) -> Response:
        route = request.url_rule.rule if request.url_rule else "unmatched"
        seconds = answer_seconds(service, route, request.method, response.status_code)
        seconds.observe(time.perf_counter() - g.began)
        response.headers["X-Request-ID"] = g.request_id
        clear_contextvars()
        return response
