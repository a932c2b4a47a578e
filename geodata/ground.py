"""A dataset together with the shapes it was read from: what maps need and decisions do not."""

from __future__ import annotations

from dataclasses import dataclass

import geopandas as gpd

from optimiser.domain import Dataset


@dataclass(frozen=True)
class Ground:
    """A place. areas: code, name, tier, parent, geometry; catchments: code, geometry, one row for each practice in the
    dataset's order (both EPSG:27700). links: declared pairs of practice positions."""

    dataset: Dataset
    areas: gpd.GeoDataFrame
    catchments: gpd.GeoDataFrame
    links: tuple[tuple[int, int], ...]

    @property
    def councils(self) -> gpd.GeoDataFrame:
        """The areas that maps are drawn on: upper authorities, or lower ones where the dataset has no others."""
        upper = self.areas["tier"] == "upper"
        return self.areas[upper] if upper.any() else self.areas
