"""Caveats: what a reader must know beside a number."""

import warnings
from collections.abc import Iterable, Mapping
from typing import Annotated, Literal, Protocol

import msgspec

from bayes_scaling.core.records import Record, about

__all__ = [
    "CODES",
    "Caveat",
    "Datum",
    "Severity",
    "deprecated_texts",
    "texts",
    "unique",
    "version_1",
]

Severity = Literal["error", "warning", "note"]
Datum = float | int | str | bool | list[float | int | str | bool] | None
"""A value that a caveat's text states."""

CODES: dict[str, str] = {
    "aspect-outside-runs": "an aspect ratio lies outside those of the runs",
    "ambiguous-name": "several columns or tags of a log can be one role, and none was taken",
    "at-limit": "a plan stands at a limit, beyond which it would be better",
    "below-floor": "the target loss lies below the irreducible loss",
    "binned-points": "points of a long curve were averaged on a log grid",
    "blank-losses": "blank cells of a log were taken as losses that are no number",
    "blanks-not-logged": "blank cells of a log were taken as losses that were not logged",
    "backtest": "how often intervals held in a backtest",
    "collinear-compute": "compute follows from parameters and tokens, so alpha_C is not separable",
    "collinear-sizes": "parameters and tokens move in step, so their exponents are not separable",
    "constant-input": "an input of the law's own hardly varies",
    "constant-size": "parameters or tokens hardly vary, so their exponent cannot be learned",
    "counted-points": "points of a log were counted in the order in which they were logged",
    "damaged-file": "a file is damaged or was cut off",
    "default-utility": "cost and value of a lower loss are not given",
    "disagreement": "one law fits best and another forecasts best",
    "excluded-rows": "rows were excluded on request",
    "expected-loss": "values are of a decision by expected loss, not by the risk measure",
    "extrapolation": "points lie above the largest fitted run",
    "extrapolation-below": "points lie below the smallest fitted run",
    "failed-fit": "a number is of a fit that failed its checks",
    "few-draws": "few effective draws stand behind a value",
    "few-held-out": "few runs were held out",
    "few-runs": "families have no more runs than the law has parameters",
    "flagged-rows": "rows with a quality flag were used",
    "flop-count": "runs took other than 6·N·D FLOP",
    "group-means": "curves are means over the runs of a group",
    "held-out": "how often intervals held for runs kept out of the fit",
    "held-out-preference": "which law forecasts the larger runs best",
    "held-out-targets": "runs with the role target were kept out of the fit",
    "inferred-name": "one of several columns or tags of a log was taken for a role",
    "input-extrapolation": "an input of the law's own lies outside the fitted runs",
    "joined-segments": "segments of one run were joined",
    "law-limitation": "what a user must know before trusting a law",
    "loo-preference": "which law leave-one-out prefers",
    "loss-above-guessing": "a median loss is above that of guessing",
    "loss-at-least-cost": "values are of the least loss at the least cost",
    "model-average": "a forecast is an average of fits",
    "no-checksum": "a fit was read from a file without a checksum",
    "no-whole-layers": "shapes of a frontier are not whole layers",
    "no-schedule": "laws of a curve know nothing of the learning rates to come",
    "not-converged": "the sampler of a fit has not converged",
    "not-held-out": "larger runs could not be held out",
    "parameter-count": "which parameters N counts matters to exponents",
    "pareto-k": "leave-one-out of a fit is uncertain, by its Pareto k",
    "prior-led": "the prior decides parameters of a forecast in part",
    "ratio-outside-runs": "tokens per parameter lie outside those of the runs",
    "repeated-as-fresh": "repeated tokens are taken as fresh",
    "rows-without-loss": "rows of a log hold no loss",
    "runs-left-out": "runs of a log have no point of a curve",
    "separable": "all exponents can be learned",
    "taken-as-steps": "a column of another name was taken as steps",
    "tied-risk": "plans are equal in risk, and the least expected loss decided",
    "stuck-particles": "particles of a fit of a curve hardly moved",
    "time-limit": "the sampler of a fit was stopped by its limit of time",
    "typical-input": "an input that is not stated is taken as typical of the family's runs",
    "uncertain-prices": "prices are uncertain, and the optimum is that of each draw at its own",
    "unread-times": "times of a log were not read",
    "unseen-family": "a family was not in the fit",
    "unspent-budget": "limits leave part of the budget unspent",
    "unstated-input": "an input is not stated, and a value is assumed",
    "wide-interval": "an interval is wider than what ten times the compute gains",
    "version-1": "a warning of a file of version 0.1",
}
"""Codes of caveats and what each means; those of :data:`bayes_scaling.runs.CODES` come on top."""


class Caveat(Record, frozen=True, kw_only=True):
    """A caveat: what a reader of a result must know.

    Examples
    --------
    >>> far = Caveat(
    ...     code="extrapolation",
    ...     severity="warning",
    ...     subject="plan",
    ...     text="The plan is at 30 times the compute of the largest run.",
    ...     data={"times": 30.0},
    ... )
    >>> far.code, far.data["times"]
    ('extrapolation', 30.0)
    >>> print(far)
    The plan is at 30 times the compute of the largest run.
    """

    code: Annotated[str, about("Kind of caveat, for programs: one of a fixed list.")]
    severity: Annotated[Severity, about("How much it matters.")]
    text: Annotated[str, about("One or two sentences for a person.")]
    subject: Annotated[str, about("What it is about: a family, a configuration, a column.")] = ""
    data: Annotated[Mapping[str, Datum], about("Values that the text states, by name.")] = (
        msgspec.field(default_factory=dict)
    )

    def __str__(self) -> str:
        return self.text


def texts(caveats: Iterable[Caveat]) -> tuple[str, ...]:
    """Texts of caveats, each once."""
    return tuple(dict.fromkeys(caveat.text for caveat in caveats))


def unique(caveats: Iterable[Caveat]) -> tuple[Caveat, ...]:
    """Caveats, each text once."""
    found: dict[str, Caveat] = {}
    for caveat in caveats:
        found.setdefault(caveat.text, caveat)
    return tuple(found.values())


def version_1(text: str) -> Caveat:
    """Return a warning of a file of version 0.1 as a caveat."""
    return Caveat(code="version-1", severity="warning", text=text)


class _WithCaveats(Protocol):
    @property
    def caveats(self) -> tuple[Caveat, ...]: ...


def deprecated_texts(old: str) -> property:
    """Make an attribute that gives the texts of ``caveats`` by a name of version 0.1."""

    def get(result: _WithCaveats) -> tuple[str, ...]:
        found, name = texts(result.caveats), type(result).__name__
        text = f"{name}.{old} is deprecated; use {name}.caveats, which have codes and texts"
        warnings.warn(text, DeprecationWarning, stacklevel=2)
        return found

    return property(get, doc="Texts of ``caveats`` (deprecated).")
