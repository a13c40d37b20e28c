"""Plans that a user names, to be held against the recommended one."""

from dataclasses import dataclass

from bayes_scaling.errors import ScenarioError
from bayes_scaling.scenarios.quantities import in_unit

__all__ = ["Alternative"]

_SIZES = {"params": "param", "tokens": "token", "tokens_per_param": ""}
"""Of a plan, and their units."""


@dataclass(frozen=True)
class Alternative:
    """A plan that a user names.

    Two of params, tokens and tokens per parameter say it all; of one the rest is what the budgets
    leave. It need not keep within budgets and limits: that is told.

    Parameters
    ----------
    name : str
        What it is called.
    params, tokens : float or None
        Its size and its training tokens.
    tokens_per_param : float or None
        D / N, such as the 20 of Hoffmann et al. 2022.
    epochs : float
        How often each unique token is seen.

    Raises
    ------
    ScenarioError
        If it has no name, or none or all three of the sizes, or a number is out of range.
    """

    name: str
    params: float | None = None
    tokens: float | None = None
    tokens_per_param: float | None = None
    epochs: float = 1.0

    def __post_init__(self) -> None:
        if not (isinstance(self.name, str) and self.name.strip()):
            raise ScenarioError(f"the name of an alternative is {self.name!r}, text is needed")
        if self.name == "recommended":
            raise ScenarioError("an alternative is named 'recommended'; give it another name")
        for size, unit in (*_SIZES.items(), ("epochs", "")):
            value = getattr(self, size)
            if value is not None or size == "epochs":
                number = in_unit(f"{size} of alternative {self.name!r}", value, unit, "1e9")
                object.__setattr__(self, size, number)
        if self.epochs < 1:
            raise ScenarioError(
                f"epochs of alternative {self.name!r} is {self.epochs:g}, 1 or more is needed"
            )
        given = [size for size in _SIZES if getattr(self, size) is not None]
        if len(given) not in (1, 2):
            raise ScenarioError(
                f"alternative {self.name!r} has {' and '.join(given) or 'no size'}; one or two of "
                f"{', '.join(_SIZES)} are needed"
            )
