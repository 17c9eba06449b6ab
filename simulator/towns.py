"""Swedish towns and which of them a main road joins.

Coordinates are the towns' centres (WGS 84, rounded to 0.001°). A link is there only where the
straight line between two towns stays on land: no vehicle drives across Vänern.
"""

from typing import NamedTuple


class Town(NamedTuple):
    """A town: where it is and the first three digits of its post codes."""

    name: str
    latitude: float
    longitude: float
    post_code: str


TOWNS = {
    town.name: town
    for town in (
        Town("Borås", 57.721, 12.940, "503"),
        Town("Eskilstuna", 59.371, 16.510, "632"),
        Town("Falun", 60.607, 15.626, "791"),
        Town("Gävle", 60.675, 17.141, "802"),
        Town("Göteborg", 57.709, 11.975, "417"),
        Town("Halmstad", 56.674, 12.857, "302"),
        Town("Helsingborg", 56.046, 12.720, "254"),
        Town("Hudiksvall", 61.728, 17.104, "824"),
        Town("Jönköping", 57.778, 14.163, "553"),
        Town("Kalmar", 56.663, 16.340, "392"),
        Town("Karlskrona", 56.172, 15.586, "371"),
        Town("Karlstad", 59.379, 13.504, "652"),
        Town("Katrineholm", 58.996, 16.207, "641"),
        Town("Kiruna", 67.856, 20.225, "981"),
        Town("Kristianstad", 56.031, 14.156, "291"),
        Town("Laholm", 56.512, 13.044, "312"),
        Town("Linköping", 58.411, 15.622, "582"),
        Town("Luleå", 65.584, 22.155, "972"),
        Town("Lund", 55.705, 13.193, "224"),
        Town("Malmö", 55.605, 13.003, "213"),
        Town("Norrköping", 58.588, 16.192, "602"),
        Town("Piteå", 65.317, 21.480, "941"),
        Town("Skellefteå", 64.750, 20.953, "931"),
        Town("Skövde", 58.391, 13.846, "541"),
        Town("Stockholm", 59.329, 18.069, "117"),
        Town("Sundsvall", 62.391, 17.307, "852"),
        Town("Söderhamn", 61.304, 17.062, "826"),
        Town("Södertälje", 59.195, 17.626, "151"),
        Town("Trollhättan", 58.283, 12.289, "461"),
        Town("Umeå", 63.826, 20.263, "903"),
        Town("Uppsala", 59.859, 17.639, "753"),
        Town("Västerås", 59.610, 16.545, "721"),
        Town("Växjö", 56.879, 14.806, "352"),
        Town("Örebro", 59.274, 15.207, "702"),
        Town("Örnsköldsvik", 63.291, 18.716, "891"),
        Town("Östersund", 63.179, 14.636, "831"),
    )
}

LINKS = (
    ("Malmö", "Lund"),
    ("Lund", "Helsingborg"),
    ("Lund", "Kristianstad"),
    ("Helsingborg", "Laholm"),
    ("Laholm", "Halmstad"),
    ("Halmstad", "Göteborg"),
    ("Halmstad", "Växjö"),
    ("Kristianstad", "Växjö"),
    ("Växjö", "Karlskrona"),
    ("Växjö", "Kalmar"),
    ("Kalmar", "Karlskrona"),
    ("Växjö", "Jönköping"),
    ("Göteborg", "Borås"),
    ("Borås", "Jönköping"),
    ("Göteborg", "Trollhättan"),
    ("Trollhättan", "Skövde"),
    ("Jönköping", "Skövde"),
    ("Jönköping", "Linköping"),
    ("Skövde", "Örebro"),
    ("Linköping", "Örebro"),
    ("Linköping", "Norrköping"),
    ("Norrköping", "Katrineholm"),
    ("Katrineholm", "Eskilstuna"),
    ("Katrineholm", "Södertälje"),
    ("Eskilstuna", "Södertälje"),
    ("Södertälje", "Stockholm"),
    ("Stockholm", "Uppsala"),
    ("Uppsala", "Västerås"),
    ("Uppsala", "Gävle"),
    ("Västerås", "Örebro"),
    ("Västerås", "Falun"),
    ("Örebro", "Karlstad"),
    ("Falun", "Gävle"),
    ("Falun", "Östersund"),
    ("Gävle", "Söderhamn"),
    ("Söderhamn", "Hudiksvall"),
    ("Hudiksvall", "Sundsvall"),
    ("Sundsvall", "Östersund"),
    ("Sundsvall", "Örnsköldsvik"),
    ("Örnsköldsvik", "Umeå"),
    ("Umeå", "Skellefteå"),
    ("Skellefteå", "Piteå"),
    ("Piteå", "Luleå"),
    ("Luleå", "Kiruna"),
)
