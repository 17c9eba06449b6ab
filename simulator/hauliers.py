"""Who the vehicles belong to: the three customers of the demo, and as many generated as needed."""

from functools import cache
from typing import NamedTuple

from simulator.dice import dice
from simulator.towns import TOWNS


class Haulier(NamedTuple):
    """A customer: its name and address, and the town of the table its vehicles start from."""

    name: str
    address: str
    home: str


KALLE = Haulier("Kalles Grustransporter AB", "Cementvägen 8, 111 11 Södertälje", "Södertälje")
JOHAN = Haulier("Johans Bulk AB", "Balkvägen 12, 222 22 Stockholm", "Stockholm")
HARALD = Haulier("Haralds Värdetransporter AB", "Budgetvägen 1, 333 33 Uppsala", "Uppsala")

_OWNERS = (
    "Ahlgrens", "Anderssons", "Bengtssons", "Bergströms", "Björklunds", "Blomqvists", "Claessons",
    "Dahlbergs", "Ekströms", "Engdahls", "Franssons", "Granaths", "Gustafssons", "Hallbergs",
    "Hedlunds", "Isakssons", "Jönssons", "Karlssons", "Lindgrens", "Lundströms", "Mårtenssons",
    "Nilssons", "Nyströms", "Olofssons", "Perssons", "Rosengrens", "Sandbergs", "Sjögrens",
    "Svenssons", "Söderlunds", "Törnqvists", "Wallins", "Westerlunds", "Åkessons", "Öbergs",
)  # fmt: skip
_TRADES = (
    "Åkeri", "Bulktransport", "Fjärrtransporter", "Godstrafik", "Kylfrakt", "Logistik",
    "Schaktmassor", "Skogstransporter", "Styckegods", "Tanktransporter",
)  # fmt: skip
_STREETS = (
    "Depåvägen", "Fraktgatan", "Godsvägen", "Hamngatan", "Industrivägen", "Lagergatan",
    "Stationsgatan", "Terminalvägen", "Verkstadsgatan", "Åkerivägen",
)  # fmt: skip
_MOST = 300
_FEWEST = 3
_VEHICLES_EACH = 20


def haulier_of(seed: int, number: int) -> Haulier:
    """Say whose vehicle `number` is; a fleet of n has about n/20 hauliers, from 3 up to 300."""
    known = min(_MOST, _FEWEST + number // _VEHICLES_EACH)
    return _hauliers(seed)[dice(seed, "haulier of", number).randrange(known)]


@cache
def _hauliers(seed: int) -> tuple[Haulier, ...]:
    throws = dice(seed, "hauliers")
    names = [f"{owner} {trade} AB" for owner in _OWNERS for trade in _TRADES]
    towns = list(TOWNS.values())
    hauliers = []
    for name in throws.sample(names, _MOST):
        town = throws.choice(towns)
        street = f"{throws.choice(_STREETS)} {throws.randint(1, 99)}"
        post_code = f"{town.post_code} {throws.randint(10, 99)}"
        hauliers.append(Haulier(name, f"{street}, {post_code} {town.name}", town.name))
    return tuple(hauliers)
