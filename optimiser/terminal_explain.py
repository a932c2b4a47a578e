"""Why a practice is where it is, in the terminal."""

from __future__ import annotations

import sys
import textwrap
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from geodata.explained import Explained

WIDTH = 100


def show_explanation(made: Explained, out: Path | None) -> None:
    """The sentences, heading by heading, and the file to open first where any was written."""
    from geodata.explained import told
    from optimiser.explain_words import who

    print(f"\n{who(made.dataset, made.found)} · {made.source}")
    for heading, said in told(made):
        print(f"\n{heading}")
        for text in said:
            print(textwrap.fill(text, WIDTH, initial_indent="  ", subsequent_indent="  "))
    if out is not None:
        print(f"\nOpen first: {out / 'explain.html'}")
    sys.stdout.flush()
