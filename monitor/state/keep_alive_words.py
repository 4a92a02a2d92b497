"""What a host's patience with idle sockets means for a poll interval, in words."""

from monitor.domain.pool_health import KeepAliveFit


def describe_fit(fit: KeepAliveFit | None, poll_interval_s: float | None, *, is_kept_warm: bool = False) -> str:
    """One sentence: whether sockets of this host are reused at this interval, and what would help.

    ``poll_interval_s``: seconds between the requests that would reuse a socket; ``None``: only the host is described.
    ``is_kept_warm``: one idle socket is used before the host would close it. Pure.
    """
    if fit is None or not fit.samples:
        return "Not known yet how long this host lets a connection idle."
    limit_s, survived_s = fit.shortest_dropped_s, fit.longest_survived_s
    if limit_s is None:
        text = "This host has not been seen to close an idle connection"
        if survived_s is None:
            return f"{text}."
        text += f"; the longest that survived was {_seconds(survived_s)}"
        if poll_interval_s is None:
            return f"{text}."
        if poll_interval_s <= survived_s:
            return f"{text}, so a {_seconds(poll_interval_s)} poll reuses its connection."
        if poll_interval_s > fit.retire_after_s:
            return (
                f"{text}; a {_seconds(poll_interval_s)} poll is beyond the {_seconds(fit.retire_after_s)} we keep one."
            )
        return f"{text}; a {_seconds(poll_interval_s)} poll has not been tried."
    about = f"~{_seconds(limit_s)}"
    if poll_interval_s is None:
        return f"This host closes idle connections after {about}; we close them at {_seconds(fit.retire_after_s)}."
    poll = f"{_seconds(poll_interval_s)} poll"
    if poll_interval_s < fit.retire_after_s and poll_interval_s < limit_s:
        return f"{poll} fits this host's {about} sockets: they are reused."
    relation = "outlives" if poll_interval_s >= limit_s else "comes too close to"
    if is_kept_warm:
        return f"{poll} {relation} this host's {about} sockets; one is kept warm, so it is reused all the same."
    better_s = _below(min(fit.retire_after_s, limit_s * 0.8))
    return f"{poll} {relation} this host's {about} sockets: 0 % benefit; poll at {_seconds(better_s)} or keep one warm."


def _below(seconds: float) -> float:
    """A round figure not above ``seconds``."""
    step = 5.0 if seconds >= 10.0 else 1.0 if seconds >= 1.0 else 0.1
    return max(int(seconds / step), 1) * step


def _seconds(value: float) -> str:
    return f"{value:.0f} s" if value >= 10.0 else f"{value:.2g} s"
