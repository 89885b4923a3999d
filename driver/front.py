"""The model that the command line puts in front (--focus), and against which one (--against): checked before anything is measured or drawn."""

from __future__ import annotations

from collections.abc import Sequence, Set
from dataclasses import dataclass
from typing import TYPE_CHECKING

from driver.problem import Exit, Problem
from driver.selection import check_names

if TYPE_CHECKING:
    from reports.run import Focus, Run


@dataclass(frozen=True)
class Front:
    """What was asked for; empty: nobody."""

    focus: str = ""
    against: str = ""  # empty: the best of the others, case by case

    def __post_init__(self) -> None:
        if self.against and not self.focus:
            raise Problem(f"--against {self.against} needs --focus: name the model that stands in front", Exit.USAGE)
        if self.against and self.against == self.focus:
            raise Problem(f"--focus and --against both name {self.focus}: name two models", Exit.USAGE)

    @property
    def models(self) -> list[str]:
        return [model for model in (self.focus, self.against) if model]

    def check_among(self, chosen: Sequence[str]) -> None:
        """Of a run that measures certain models only."""
        for option, model in (("--focus", self.focus), ("--against", self.against)):
            if model and chosen and model not in chosen:
                raise Problem(f"{option} {model} is not among --models {','.join(chosen)}: add it there", Exit.USAGE)

    def check_chosen(self, measured: Set[str]) -> None:
        """Of the cells that are to be measured."""
        for option, model in (("--focus", self.focus), ("--against", self.against)):
            if model and model not in measured:
                raise Problem(f"{option} {model} has no cell among those that were chosen: choose other cells or workloads", Exit.USAGE)

    def of_runs(self, *runs: Run) -> Focus | None:
        """Of runs that are there: a model that none of them has measured has no place in their reports. Not asked for: as the last of them was measured for."""
        from reports.run import Focus

        check_names("measured model", self.models, {cell.model for run in runs for cell in run.cells if cell.samples})
        return Focus(self.focus, self.against or None) if self.focus else runs[-1].focus
