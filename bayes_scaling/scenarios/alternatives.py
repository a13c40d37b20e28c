"""Plans that a user names, to be compared with the recommended one."""

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar

from bayes_scaling.core.arguments import shown
from bayes_scaling.core.records import about
from bayes_scaling.errors import ScenarioError
from bayes_scaling.scenarios.field import quantity
from bayes_scaling.scenarios.part import Part

__all__ = ["Alternative"]

_SIZES = ("params", "tokens", "tokens_per_param")


class Alternative(Part, frozen=True):
    """A plan to compare with the recommended one.

    Two of params, tokens and tokens per parameter determine it; of one the rest is what the
    budgets leave. It need not keep within budgets and limits: a plan says which it exceeds.

    Attributes
    ----------
    name : str
        Name in tables and figures.
    params, tokens : float or None
        Model size and training tokens.
    tokens_per_param : float or None
        D / N, such as the 20 of Hoffmann et al. 2022.
    epochs : float
        How often each unique token is seen.

    Raises
    ------
    ScenarioError
        If it has no name, or none or all three of the sizes, or a number is out of range.

    Examples
    --------
    >>> bs.Alternative("twenty tokens per parameter", tokens_per_param=20).epochs
    1.0
    """

    place: ClassVar[str] = "alternatives."
    example: ClassVar[str] = "Alternative('twenty a parameter', tokens_per_param=20)"

    name: Annotated[str, about("What it is called.", extra={"example": '"twenty"'})]
    params: Annotated[float, quantity("Model size N.", "param", "7e9", gt=0)] | None = None
    tokens: Annotated[float, quantity("Training tokens D.", "token", "1e12", gt=0)] | None = None
    tokens_per_param: Annotated[float, quantity("D / N.", "", "20", gt=0)] | None = None
    epochs: Annotated[float, quantity("How often a token is seen.", "", "1", ge=1)] = 1.0

    @classmethod
    def path(cls, values: Mapping[str, Any]) -> str:
        """Path with the name of the plan."""
        name = values.get("name")
        return f"alternatives[{shown(name)}]." if isinstance(name, str) else cls.place

    def check(self) -> None:
        """Refuse a reserved name, and sizes that say too little or too much."""
        if self.name == "recommended":
            raise ScenarioError("alternatives.name is 'recommended'; choose another name")
        given = [size for size in _SIZES if getattr(self, size) is not None]
        if len(given) not in (1, 2):
            raise ScenarioError(
                f"alternative {self.name!r} has {' and '.join(given) or 'no size'}; one or two of "
                f"{', '.join(_SIZES)} are needed"
            )
