"""A stretch of the log, read once for all who listen: whom it touches, and how they are now."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, NamedTuple

from read_service.live.news import Seen, Touched
from read_service.live.touched import OF_A_VEHICLE, vehicle_id_of, vins_of
from vehicle_tracker.domain.connection import VehicleDisconnected
from vehicle_tracker.domain.customer import Customer
from vehicle_tracker.telemetry import log as logger

if TYPE_CHECKING:
    from collections.abc import Mapping
    from uuid import UUID

    from read_service.models import ReadModels
    from vehicle_tracker.logged_event import LoggedEvent

MOST_REMEMBERED = 100_000
"""So many vehicles are remembered as they were, 1 to 2 KB each."""

_OF_ALL_ITS_VEHICLES = {Customer.DetailsChanged.TOPIC, Customer.DisconnectAfterChanged.TOPIC}
_JUST_AFTER = timedelta(microseconds=1)


class Stretch(NamedTuple):
    """What happened up to a position, conflated: the vehicles, and the customers that changed."""

    vehicles: Mapping[UUID, Touched]
    customers: Mapping[UUID, int]
    position: int


class _Touch(NamedTuple):
    position: int
    decided: bool = False
    silent_at: datetime | None = None


class Stretches:
    """Reads the log on, and remembers of each vehicle how it was."""

    def __init__(self, models: ReadModels) -> None:
        self._models = models
        self._seen: dict[UUID, Seen] = {}
        self._until = 0

    def read(self, after: int, until: int, now: datetime) -> Stretch:
        """What happened after a position and until another, which the read model has reached.

        Vehicles are as they are in the read model, which may be further on.
        """
        touches: dict[UUID, _Touch] = {}
        customers: dict[UUID, int] = {}
        for row in self._models.log.read(after, until - after):
            if row.position > until:
                break
            if row.topic in _OF_ALL_ITS_VEHICLES:
                customers[row.stream] = row.position
            elif row.topic.startswith(OF_A_VEHICLE) and (event := self._event(row)):
                id_ = vehicle_id_of(row, event)
                touches[id_] = _touched(touches.get(id_), row, event)
        known = self._models.customers.known(list(touches), [])
        if after > self._until or len(self._seen) > MOST_REMEMBERED:
            self._seen = {}  # something may have happened since that nobody has read
        touched = self._touched(touches, known.vehicles, now)
        self._seen.update((id_, one.now) for id_, one in touched.items())
        self._until = max(self._until, until)
        return Stretch(touched, customers, known.position)

    def _event(self, row: LoggedEvent) -> Any:
        try:
            return self._models.log.event(row)
        except Exception as error:  # noqa: BLE001 # the follower parks it, and says so
            logger.warning("event not told", position=row.position, error=str(error))
            return None

    def _touched(
        self, touches: Mapping[UUID, _Touch], views: Mapping[UUID, Any], now: datetime
    ) -> dict[UUID, Touched]:
        vins = vins_of(self._models.log, touches, views)
        trips = self._models.trips.open_trips(list(touches), now)
        touched = {}
        for id_, (position, decided, silent_at) in touches.items():
            if id_ in vins:
                # A verdict is of an instant that may be later than that of the read model.
                at = max(now, silent_at + _JUST_AFTER) if silent_at else now
                seen = Seen(views.get(id_), at, trips.get(id_))
                touched[id_] = Touched(vins[id_], position, decided, seen, self._seen.get(id_))
        return touched


def _touched(before: _Touch | None, row: LoggedEvent, event: Any) -> _Touch:
    decided = row.topic.startswith("Vehicle.") or bool(before and before.decided)
    silent_at = event.at if isinstance(event, VehicleDisconnected) else None
    return _Touch(row.position, decided, silent_at or (before and before.silent_at))
