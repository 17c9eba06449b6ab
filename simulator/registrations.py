"""What is on a vehicle's papers: VIN, plate, customer."""

from typing import NamedTuple

from simulator.dice import dice
from simulator.hauliers import HARALD, JOHAN, KALLE, Haulier, haulier_of


class Registration(NamedTuple):
    """A vehicle as it is registered."""

    vin: str
    plate: str
    haulier: Haulier


DEMO_FLEET = (
    Registration("YS2R4X20005399401", "ABC123", KALLE),
    Registration("VLUR4X20009093588", "DEF456", KALLE),
    Registration("VLUR4X20009048066", "GHI789", KALLE),
    Registration("YS2R4X20005388011", "JKL012", JOHAN),
    Registration("YS2R4X20005387949", "MNO345", JOHAN),
    Registration("YS2R4X20005387765", "PQR678", HARALD),
    Registration("YS2R4X20005387055", "STU901", HARALD),
)

# Scania's and Volvo's lorries; no model of the demo fleet is among them, so no VIN is either.
_MODELS = ("YS2G6X2000", "YS2P4X2000", "YV2RT40A00", "YV2XTY0G00")
_SERIALS = 10**7
_LETTERS = "ABCDEFGHJKLMNOPRSTUWXYZ"  # of Swedish plates: no I, Q, V
_DIGITS = "0123456789"
# ABC12D, the form of plates since 2019; the demo's are of the older one, ABC123.
_PLATE = (_LETTERS, _LETTERS, _LETTERS, _DIGITS, _DIGITS, _LETTERS)
_PLATES = 23**4 * 100
# Prime to _SERIALS and to _PLATES: stepping by it meets each of them once before any comes again.
_STEP = 7_654_321


def registration(seed: int, number: int) -> Registration:
    """Give the papers of vehicle `number`, from 0: first the demo fleet, then generated ones.

    VINs and plates are unique within the ten million vehicles of a seed.
    """
    if number < len(DEMO_FLEET):
        return DEMO_FLEET[number]
    start = dice(seed, "serials").randrange(_SERIALS)
    model = dice(seed, "model", number).choice(_MODELS)
    vin = f"{model}{(start + number * _STEP) % _SERIALS:07}"
    return Registration(vin, _plate((start + number * _STEP) % _PLATES), haulier_of(seed, number))


def _plate(number: int) -> str:
    plate = []
    for characters in _PLATE:
        number, character = divmod(number, len(characters))
        plate.append(characters[character])
    return "".join(plate)
