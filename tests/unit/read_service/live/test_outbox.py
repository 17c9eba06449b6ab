"""What waits for a listener: bounded, the newest of each, and never half."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from read_service.live.outbox import MOST_WAITING, RESETS, Outbox

AT_ONCE = 0.0


def _resets() -> float:
    (metric,) = RESETS.collect()
    return next(one.value for one in metric.samples if one.name.endswith("_total"))


def test_the_newest_of_each_is_taken() -> None:
    """What a slow listener did not take is replaced, not queued."""
    outbox = Outbox(1)
    outbox.put({"a": b"a1", "b": b"b1"}, 2)
    outbox.put({"a": b"a2"}, 3)
    outbox.put({"counts": b"c"})
    assert outbox.take(AT_ONCE) == ([b"a2", b"b1", b"c"], 3)
    assert outbox.take(AT_ONCE) == ([], 3)


def test_a_position_moves_without_messages() -> None:
    """Nothing to say is progress, too: a listener goes on from there."""
    outbox = Outbox(1)
    outbox.put({}, 9)
    assert outbox.take(AT_ONCE) == ([], 9)


def test_too_much_is_a_reset() -> None:
    """Over the bound all is forgotten, and what comes before that is heard, too; it counts once."""
    outbox, before = Outbox(0), _resets()
    outbox.put({str(n): b"x" for n in range(MOST_WAITING)}, 1)
    outbox.put({"one more": b"x"}, 2)
    outbox.put({"after": b"x"}, 3)
    outbox.reset(4)
    assert outbox.take(AT_ONCE) == ([b"event: reset\ndata: {}\n"], 4)
    assert _resets() == before + 1
    outbox.put({"after": b"x"}, 5)
    assert outbox.take(AT_ONCE) == ([b"x"], 5)


def test_what_waits_is_taken_before_the_end() -> None:
    """A closed outbox ends once it is empty."""
    outbox = Outbox(0)
    outbox.put({"a": b"a"}, 1)
    outbox.close()
    assert outbox.take(AT_ONCE) == ([b"a"], 1)
    assert outbox.take(AT_ONCE) is None


@given(
    st.lists(
        st.tuples(st.dictionaries(st.sampled_from("abcde"), st.integers(0, 9)), st.booleans()),
        max_size=30,
    )
)
def test_taken_now_and_then_it_adds_up(rounds: list[tuple[dict[str, int], bool]]) -> None:
    """However seldom it is taken, the last state of each is the last that was put."""
    outbox, put, taken, position = Outbox(0), {}, {}, 0

    def take() -> int:
        messages, at = outbox.take(AT_ONCE) or ([], 0)
        taken.update(message.decode().split("=") for message in messages)
        return at

    for position, (messages, takes) in enumerate(rounds, 1):
        put |= {name: str(value) for name, value in messages.items()}
        outbox.put({n: f"{n}={v}".encode() for n, v in messages.items()}, position)
        if takes:
            assert take() == position
    assert take() == position
    assert taken == put
