"""What a measured run says, as plain figures, and the few lines of it that are printed."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from bench.report import percentiles

if TYPE_CHECKING:
    from bench.run import Run


def figures(run: Run) -> dict[str, Any]:
    """What a run says, as plain figures: seconds, MB, and microseconds of CPU a heartbeat."""
    posted, usage = run.posted, run.usage
    heartbeats = run.heartbeats
    cpu = usage.cpu_s()
    lag = run.lag.percentiles()
    told = {
        "accepted_per_s": posted.accepted / posted.seconds,
        "heartbeats": {k: v for k, v in asdict(posted).items() if not isinstance(v, list)},
        "accepted_is_generated": posted.is_whole,
        "post_s_from_due": percentiles(posted.latencies),
        "post_s_from_sent": percentiles(posted.service),
        "lag_s": lag,
        "lag_samples_missed": run.lag.missed,
        "caught_up_s": run.caught_up_s,
        "cpu_us_a_heartbeat": {name: 1e6 * s / heartbeats for name, s in cpu.items()},
        "cpu_us_a_heartbeat_in_all": 1e6 * sum(cpu.values()) / heartbeats,
        "machine": usage.machine(),
        "max_rss_mb": usage.rss_mb(),
        "disk": run.after.since(run.before, heartbeats),
    }
    if run.asked:
        told["search_s"] = percentiles(run.asked.all)
        told["search_s_by_kind"] = {
            kind: {"n": len(some), **percentiles(some)}
            for kind, some in sorted(run.asked.seconds.items())
        }
        told["searches_failed"] = run.asked.failed
    return told


def summary(told: dict[str, Any]) -> dict[str, object]:
    """The lines that a person wants first."""
    due, sent = told["post_s_from_due"], told["post_s_from_sent"]
    lines: dict[str, object] = {
        "accepted": f"{told['accepted_per_s']:,.0f} heartbeats/s",
        "due and not sent": f"{told['heartbeats']['not_sent']:,} requests",
        "POST from due": f"p50 {1e3 * due['p50']:,.0f} ms   p99 {1e3 * due['p99']:,.0f} ms",
        "POST from sent": f"p50 {1e3 * sent['p50']:,.0f} ms   p99 {1e3 * sent['p99']:,.0f} ms",
    }
    for name, lag in told["lag_s"].items():
        lines[f"lag of {name}"] = f"p50 {lag['p50']:.1f} s   p99 {lag['p99']:.1f} s"
    lines["caught up after"] = f"{told['caught_up_s']:.1f} s"
    if told.get("search_s"):
        one = told["search_s"]
        lines["search"] = f"p50 {1e3 * one['p50']:,.0f} ms   p99 {1e3 * one['p99']:,.0f} ms"
    for name, us in told["cpu_us_a_heartbeat"].items():
        lines[f"CPU, {name}"] = f"{us:6.1f} µs a heartbeat, {told['max_rss_mb'][name]:,.0f} MB"
    lines["CPU, all in all"] = f"{told['cpu_us_a_heartbeat_in_all']:6.1f} µs a heartbeat"
    disk = told["disk"]
    lines["log"] = (
        f"{disk['log_bytes_a_heartbeat']:.0f} bytes a heartbeat, indexes"
        f" {disk['log_index_bytes_a_heartbeat']:.0f}, WAL {disk['wal_bytes_a_heartbeat']:.0f}"
    )
    if check := told["check"]:
        lines["read models = fold of the log"] = "; ".join(check["errors"]) or "yes"
    return lines
