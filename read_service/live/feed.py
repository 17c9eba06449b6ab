"""The live feed: the log is read once for all who listen, and nobody waits for the slowest."""

from __future__ import annotations

import time
from threading import Event
from typing import TYPE_CHECKING

from prometheus_client import Gauge
from sqlalchemy.exc import SQLAlchemyError

from read_service.live.attended import Attended
from read_service.live.counting import Counting
from read_service.live.listener import Asked, Listener, by_query
from read_service.live.news import News, event
from read_service.live.stretch import Stretch, Stretches
from vehicle_tracker.domain.values import utc_now
from vehicle_tracker.errors import TrackerError, Unavailable
from vehicle_tracker.event_log import LOG_UNREACHABLE
from vehicle_tracker.serving import STREAMS_AT_ONCE
from vehicle_tracker.telemetry import log as logger

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from read_service.live.cursor import LogCursors
    from read_service.live.news import Message
    from read_service.models import ReadModels

LOOK_EVERY_S = 0.05
LOOK_AGAIN_S = 1.0
A_LISTENER_S = 0.0003
"""So much longer is waited for each listener that was told: 500 hear six times a second."""

AT_ONCE, BREATH_S = 50, 0.002
"""All woken at once, they would stand in line for the interpreter before every search."""

MOST_MISSED = 10_000
"""Whoever is so many positions behind asks again for all there is."""

BEHIND_S = 5.0
SAID_AGAIN_S = 10.0

LISTENERS = Gauge("stream_listeners", "Streams that are open", multiprocess_mode="livesum")
_MAY_PASS = (*LOG_UNREACHABLE, SQLAlchemyError, TrackerError)


class Feed:
    """Tells those who listen what has changed, as soon as the read model has it."""

    def __init__(self, models: ReadModels, cursors: LogCursors) -> None:
        self._models = models
        self._cursors = cursors
        self._tail: Attended[Listener] = Attended("feed", self._tell)
        self._counts: Attended[Listener] = Attended("counts", Counting(models).count)
        self._stretches = Stretches(models)
        self._told = 0
        self._as_of: datetime | None = None
        self._behind_said = 0.0
        self._closed = Event()

    def listen(self, asked: Asked, after: int | None) -> Listener:
        """Begin to listen, with what happened after a position or else from now on.

        Errors: `Unavailable`: `too_many_streams`, or `stopping`.
        """
        if self._closed.is_set():
            raise Unavailable("stopping", "This server is about to end.")
        if len(self._tail) >= STREAMS_AT_ONCE:
            detail = f"{STREAMS_AT_ONCE} streams are open here already."
            raise Unavailable("too_many_streams", detail, retry_after_s=5)
        position = self._models.customers.position() if after is None else after
        listener = Listener(asked, position, self._cursors, self._leave)
        LISTENERS.inc()
        self._tail.join(listener)
        if asked.counts:
            self._counts.join(listener)
        if self._closed.is_set():
            listener.close()
        return listener

    def close(self) -> None:
        """End all streams: what waits is sent, and their clients come again."""
        self._closed.set()
        for listener in self._tail.present():
            listener.outbox.close()

    def _leave(self, listener: Listener) -> None:
        self._counts.leave(listener)
        if self._tail.leave(listener):
            LISTENERS.dec()

    def _tell(self, listeners: Sequence[Listener]) -> float:
        """Tell what is new, if anything is; answers how long to rest."""
        began = time.thread_time()
        try:
            told = self._tell_what_is_new(listeners)
            self._say_if_behind(listeners)
        except _MAY_PASS as error:
            logger.warning("feed interrupted", error=str(error))
            self._say_if_behind(listeners)
            return LOOK_AGAIN_S
        except Exception as error:  # noqa: BLE001 # a defect: clients come again, from where they were
            logger.error("feed failed", exc_info=error)
            for listener in listeners:
                listener.outbox.close()
            return LOOK_AGAIN_S
        return max(LOOK_EVERY_S, told * A_LISTENER_S, time.thread_time() - began)

    def _tell_what_is_new(self, listeners: Sequence[Listener]) -> int:
        """Answers how many listeners had something to hear."""
        self._as_of = now = self._models.as_of()
        position = self._models.customers.position()
        for one in listeners:
            if position - one.outbox.position > MOST_MISSED:
                one.outbox.reset(position)
        after = min(one.outbox.position for one in listeners)
        if after >= position:
            return 0
        stretch = self._stretches.read(after, position, now)
        news = News(stretch.vehicles, stretch.position, self._models.settings)
        before, self._told = self._told, position
        told = 0
        for query, asking in by_query(listeners).items():
            vins = frozenset[str]()
            if all(one.asked.vins for one in asking):
                vins = vins.union(*(one.asked.vins for one in asking))
            messages = news.told(query, vins)
            for one in asking:
                if _put(one, messages, stretch, before, position):
                    told += 1
                    time.sleep(0 if told % AT_ONCE else BREATH_S)
        return told

    def _say_if_behind(self, listeners: Sequence[Listener]) -> None:
        """Let a screen know that what it shows is old, although nothing happens on it."""
        now, as_of = utc_now(), self._as_of
        since = time.monotonic() - self._behind_said
        if as_of and (now - as_of).total_seconds() > BEHIND_S and since > SAID_AGAIN_S:
            self._behind_said = time.monotonic()
            said = event("behind", {"as_of": as_of, "answered_at": now})
            for listener in listeners:
                listener.outbox.put({"behind": said})


def _put(
    one: Listener, messages: dict[str, Message], stretch: Stretch, told: int, position: int
) -> bool:
    """Hand a listener what is new to it; whether there was anything."""
    heard, vins = one.outbox.position, one.asked.vins
    wanted = one.asked.query.customer_ids
    if any(
        at > heard and (not wanted or customer_id in wanted)
        for customer_id, at in stretch.customers.items()
    ):
        one.outbox.reset(position)
        return True
    new = {
        vin: message.text
        for vin, message in messages.items()
        if message.position > heard
        and (not vins or vin in vins)
        and (heard < told or not message.needless)
    }
    one.outbox.put(new, max(heard, position))
    return bool(new)
