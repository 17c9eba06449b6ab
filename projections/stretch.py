"""A stretch of the log: read and folded page by page, then stored as one step."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from projections.store import Change, Parked

if TYPE_CHECKING:
    from collections.abc import Sequence

    from projections.catalog import Projection
    from projections.store import Store
    from vehicle_tracker.event_log import EventLog
    from vehicle_tracker.logged_event import LoggedEvent


class Stretch:
    """What comes of the events after a position, as far as they were added.

    What cannot be folded is in `parked`, with its reason.
    """

    def __init__(
        self, projection: Projection, log: EventLog, store: Store[Any, Any], after: int
    ) -> None:
        self._projection = projection
        self._log = log
        self._store = store
        self._before: dict[Any, Any] = {}
        self._documents: dict[Any, Any] = {}
        self.after = self.position = after
        self.events = 0
        """How many were added, whether they are for this projection or not."""
        self.parked: list[Parked] = []
        self.requests: list[tuple[int, str]] = []
        """Positions of folded events that were given a request id, and those."""

    @property
    def documents(self) -> int:
        """How many documents are in memory."""
        return len(self._documents)

    @property
    def changes(self) -> dict[Any, Change]:
        """What became of the documents; those of which nothing did are left out."""
        before = self._before.get
        return {
            key: Change(before(key), document)
            for key, document in self._documents.items()
            if document is not before(key)
        }

    def add(self, page: Sequence[LoggedEvent]) -> None:
        """Fold the next page, which is not empty."""
        topics, decode, key_of = self._projection.topics, self._log.event, self._projection.key_of
        events: list[tuple[LoggedEvent, Any, Any]] = []
        for logged in page:
            if logged.topic in topics:
                try:
                    event = decode(logged)
                    events.append((logged, key_of(event), event))
                except Exception as error:  # noqa: BLE001 # whatever it is, it is why it is parked
                    self._park(logged, error)
        self._load({key for _, key, _ in events})
        documents, evolve = self._documents, self._projection.evolve
        for logged, key, event in events:
            try:
                documents[key] = evolve(documents.get(key), event)
            except Exception as error:  # noqa: BLE001 # the same
                self._park(logged, error)
            else:
                if request_id := getattr(event, "request_id", None):
                    self.requests.append((logged.position, request_id))
        self.events += len(page)
        self.position = page[-1].position

    def give_up(self, culprit: LoggedEvent, error: Exception) -> None:
        """Park the only event that was added: what came of it is refused by the store."""
        self._documents = dict(self._before)
        self.requests.clear()
        self._park(culprit, error)

    def _load(self, keys: set[Any]) -> None:
        documents = self._documents
        # Not `keys - documents.keys()`: that walks over all of the documents.
        if unknown := {key for key in keys if key not in documents}:
            found = self._store.load(unknown)
            self._before |= found
            self._documents |= found

    def _park(self, logged: LoggedEvent, error: Exception) -> None:
        self.parked.append(Parked(logged, f"{type(error).__name__}: {error}"))
