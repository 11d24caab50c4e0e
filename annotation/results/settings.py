"""What an analysis is asked to do; written into its report, so that it can be done again."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from annotation.results.errors import BadSetting
from annotation.results.resampling import Resampling


@dataclass(frozen=True)
class Settings:
    """Settings of a report.

    level: of every interval · resamples, seed: of the bootstrap of alpha
    exclude_annotators: left out before anything is computed
    margin: for the test of no difference, set before the data are seen
    strata: columns to split win scores by
    dawid_skene: whether to fit that model too, as a sensitivity view (minutes for a million judgements)
    planned_items: comparisons of each pair that a running study plans; asks for the band
    judgements_per_item: how many finish an item, for the band
    filters: the caller's words about rows left out before
    """

    level: float = 0.95
    seed: int = 0
    resamples: int = 2000
    exclude_annotators: tuple[str, ...] = ()
    margin: float | None = None
    strata: tuple[str, ...] = ()
    dawid_skene: bool = False
    planned_items: int | None = None
    judgements_per_item: int | None = None
    filters: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not 0.5 <= self.level < 1:
            raise BadSetting(f"The level is {self.level}; choose one from 0.5 to below 1, such as 0.95.")
        if self.resamples < 100:
            raise BadSetting(f"{self.resamples} resamples are too few for an interval; take 100 or more, such as 2000.")
        if self.seed < 0:
            raise BadSetting(f"The seed is {self.seed}; choose 0 or a positive whole number.")
        if self.margin is not None and not 0 < self.margin < 0.5:
            raise BadSetting(f"The margin is {self.margin}; choose one between 0 and 0.5, such as 0.05.")
        if self.planned_items is not None and self.planned_items < 1:
            raise BadSetting(f"{self.planned_items} planned comparisons make no study; name how many each pair has.")

    @property
    def resampling(self) -> Resampling:
        return Resampling(self.level, self.resamples, self.seed)

    @classmethod
    def from_json(cls, written: Mapping[str, Any]) -> "Settings":
        """The settings a report was made with; keys it does not know are left."""
        known = {name: written[name] for name in cls.__dataclass_fields__ if name in written}
        values: dict[str, Any] = {name: tuple(v) if isinstance(v, list) else v for name, v in known.items()}
        return cls(**values)
