"""HiGHS in a thread of its own: while it computes it hears neither Ctrl-C nor a request to stop."""

from __future__ import annotations

import highspy

from optimiser.clock import Clock

LEAST = 0.1  # seconds: with none at all HiGHS would not even look at the answer it is given
ASK_EVERY = 0.1  # seconds


def run(highs: highspy.Highs, clock: Clock) -> None:
    """Run the model until solved, at one of its own limits, out of time, or asked to stop. Its status says which."""
    highs.setOptionValue("time_limit", max(LEAST, clock.left()))
    if not highs.HandleUserInterrupt:
        highs.HandleUserInterrupt = True
    highs.startSolve()
    while not highs.wait(ASK_EVERY)[0]:
        if clock.stop():
            highs.cancelSolve()  # type: ignore[no-untyped-call]
