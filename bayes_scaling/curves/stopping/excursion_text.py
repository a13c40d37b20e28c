"""Excursions and flags of a verdict in words."""

from collections.abc import Mapping
from typing import Any

__all__ = ["change", "waiting", "went"]


def change(flag: Mapping[str, Any]) -> str:
    """From where to where the loss went, if a flag says it."""
    if flag.get("loss_from") is None or flag.get("loss_to") is None:
        return ""
    return f" (loss {flag['loss_from']:.4g} to {flag['loss_to']:.4g})"


def waiting(excursion: Mapping[str, Any] | None) -> str:
    """What is waited for; nothing where it is decided."""
    if excursion is None or excursion["wait_until"] is None:
        return ""
    e = excursion
    return (
        f"until {e['wait_until']:.6g}: a {e['kind']} is under way since {e['since']:.6g}, of the "
        f"loss from {e['loss_before']:.4g} to {e['loss_farthest']:.4g}, now {e['loss_now']:.4g}. "
        f"It returns with probability {e['returns']:.0%}, has diverged with {e['diverged']:.0%}; "
        "what follows holds if it returns."
    )


def went(excursion: Mapping[str, Any] | None) -> str:
    """What a divergence was, and what decides that it is one."""
    if excursion is None or excursion["loss_farthest"] is None:
        return ""
    e = excursion
    return (
        f": the loss went from {e['loss_before']:.4g} to {e['loss_farthest']:.4g}, is "
        f"{e['loss_now']:.4g} after {e['points']} points, and by now would have returned if it "
        f"were to (probability that it has diverged {e['diverged']:.1%})"
    )
