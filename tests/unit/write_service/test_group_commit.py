"""Group commit: many wait, one commits for all of them."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier, Event, Lock

from write_service.group_commit import GroupCommit


def test_everyone_gets_their_own_outcomes() -> None:
    """However submissions are grouped, each gets the outcomes of its own items, in order."""
    commits = GroupCommit[int, int](lambda items: [item * 2 for item in items])

    def submit(start: int) -> bool:
        items = list(range(start, start + start % 7 + 1))
        return list(commits.submit(items)) == [item * 2 for item in items]

    with ThreadPoolExecutor(32) as threads:
        assert all(threads.map(submit, range(3000)))


def test_whoever_waits_is_committed_together() -> None:
    """While one commit runs, all that come wait and go into one commit; never two run at once."""
    first_runs, first_may_end, one_at_a_time = Event(), Event(), Lock()
    groups: list[list[int]] = []

    def commit(items: list[int]) -> list[int]:
        assert one_at_a_time.acquire(blocking=False)
        groups.append(items)
        if len(groups) == 1:
            first_runs.set()
            assert first_may_end.wait(10)
        one_at_a_time.release()
        return items

    commits = GroupCommit[int, int](commit)
    with ThreadPoolExecutor(20) as threads:
        done = [threads.submit(commits.submit, [0])]
        assert first_runs.wait(10)
        done += [threads.submit(commits.submit, [n]) for n in range(1, 20)]
        while commits.waiting < 19:
            pass
        first_may_end.set()
        assert sorted(one for each in done for one in each.result(10)) == list(range(20))
    assert [len(group) for group in groups] == [1, 19]


def test_a_group_has_a_bound() -> None:
    """A group takes whole submissions up to its bound; a larger submission goes alone."""
    sizes: list[int] = []
    gate = Event()

    def commit(items: list[int]) -> list[int]:
        sizes.append(len(items))
        if len(sizes) == 1:
            assert gate.wait(10)
        return items

    commits = GroupCommit[int, int](commit, largest_group=5)
    with ThreadPoolExecutor(5) as threads:
        first = threads.submit(commits.submit, [0])
        while not sizes:
            pass
        rest = [threads.submit(commits.submit, [0] * 3) for _ in range(3)]
        rest.append(threads.submit(commits.submit, [0] * 50))
        while commits.waiting < 59:
            pass
        gate.set()
        assert [len(each.result(10)) for each in [first, *rest]] == [1, 3, 3, 3, 50]
    assert max(size for size in sizes if size != 50) <= 5


def test_a_failed_commit_fails_all_of_its_group_and_nobody_else() -> None:
    """All who were in the failed group hear why; whoever comes next is committed."""
    barrier = Barrier(8)

    def commit(items: list[int]) -> list[int]:
        if -1 in items:
            raise OSError("disk")
        return items

    commits = GroupCommit[int, int](commit)

    def submit(item: int) -> str:
        barrier.wait(10)
        try:
            return str(list(commits.submit([item])))
        except OSError as error:
            return str(error)

    with ThreadPoolExecutor(8) as threads:
        said = list(threads.map(submit, [-1, 1, 2, 3, 4, 5, 6, 7]))
    assert said[0] == "disk"
    assert set(said) <= {"disk", *(f"[{n}]" for n in range(1, 8))}
    assert commits.submit([8]) == [8]
    assert commits.waiting == 0


def test_who_submits_little_does_not_wait_for_who_submits_much() -> None:
    """While one client has ten large submissions in line, what others submit is in the next group.

    Between two that submit much each group is halved; each one's own go in order.
    """
    began, gate = Event(), Event()
    groups: list[list[str]] = []

    def commit(items: list[str]) -> list[str]:
        began.set()
        assert gate.wait(10)
        groups.append(items)
        return items

    def wait_for(waiting: int) -> None:
        while commits.waiting < waiting:
            pass

    commits = GroupCommit[str, str](commit, largest_group=40)
    with ThreadPoolExecutor(30) as threads:
        done = [threads.submit(commits.submit, ["first"], "first")]
        assert began.wait(10)
        for client in ("greedy", "gateway"):
            for number in range(10):
                waiting = commits.waiting
                done.append(threads.submit(commits.submit, [f"{client} {number}"] * 10, client))
                wait_for(waiting + 10)
        done += [threads.submit(commits.submit, [f"device {n}"], f"device {n}") for n in range(5)]
        wait_for(205)
        gate.set()
        for one in done:
            assert len(one.result(10)) in (1, 10)
    assert {f"device {n}" for n in range(5)} <= set(groups[1])
    for client in ("greedy", "gateway"):
        numbers = [int(item.split()[1]) for group in groups for item in group if client in item]
        assert numbers == sorted(numbers)
        shares = [sum(client in item for item in group) for group in groups[2:5]]
        assert shares == [20, 20, 20]
