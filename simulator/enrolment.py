"""Registering the fleet with the server; vehicles it knows already are left as they are."""

from collections.abc import Callable, Sequence

from tenacity import AsyncRetrying

from simulator.client import Client, ImportReceipt
from simulator.registrations import Registration

_ROWS = 1000
_SHOWN = 5


async def enrol(
    registrations: Sequence[Registration],
    client: Client,
    retrying: AsyncRetrying,
    notice: Callable[[str], None],
) -> None:
    """Import the registrations, a thousand at a time; tell the outcome and the first refusals."""
    registered = unchanged = rejected = 0
    for first in range(0, len(registrations), _ROWS):
        rows = registrations[first : first + _ROWS]
        receipt: ImportReceipt = await retrying(client.import_vehicles, rows)
        registered += receipt.registered
        unchanged += receipt.unchanged
        for code, detail, line in receipt.rejected[: max(0, _SHOWN - rejected)]:
            notice(f"Registration refused, {code}, line {line} from vehicle {first + 1}: {detail}")
        rejected += len(receipt.rejected)
    notice(f"Vehicles: {registered:,} registered, {unchanged:,} unchanged, {rejected:,} refused.")
