"""All chance of the simulator: dice that fall the same way for the same key."""

from random import Random


def dice(*key: str | int) -> Random:
    """Give the dice of a key: the same key, the same throws, in every process."""
    return Random("/".join(map(str, key)))  # noqa: S311 - a plan, not a secret
