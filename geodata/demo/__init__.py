"""The bundled demo region and the seeded generator that wrote it."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path


def region() -> Path:
    """The dataset folder of the invented region, wherever the package is installed."""
    return Path(str(files(__package__).joinpath("region")))
