"""Signatures of laws: values of their expressions at fixed points, by which laws are compared."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from bayes_scaling.laws.ops import Array

if TYPE_CHECKING:
    from bayes_scaling.laws.law import Law

__all__ = ["POINTS", "difference", "fixed_points", "signature", "values_of"]

POINTS = 12
_FAR = 6.0
"""How many times as far from the reference point equal laws must be equal."""
_RTOL, _ATOL = 1e-9, 1e-12


def signature(law: "Law") -> dict[str, list[float]]:
    """Values of a law's expressions at fixed inputs and parameters.

    Two laws with the same signature give the same loss. Priors, notes and references leave no
    trace in it, so a fit under other priors, or of a law whose texts were edited, has the same.

    Returns
    -------
    dict of str to list of float
        By expression and, in parentheses, what it reads.
    """
    x, p = fixed_points(law)
    with np.errstate(all="ignore"):
        found = {f"log_curve({', '.join(sorted(law.inputs))})": law.log_curve(x, p)}
        for amplitude, by_input in law.slopes(p).items():
            found |= {f"slopes({amplitude}, {name})": v for name, v in by_input.items()}
        found |= {f"best({name})": best(p) for name, best in law.best.items()}
    return {name: _listed(value) for name, value in found.items()}


def values_of(law: "Law") -> dict[str, list[float]]:
    """The signature, and values of what leaves no trace in a loss: closed forms and coordinates.

    Where an expression cannot be evaluated it is known by its identity, as any function.
    """
    x, p = fixed_points(law)
    forms = law.closed_forms
    try:
        with np.errstate(all="ignore"):
            # Laws may be the same in the middle alone.
            far = {name: _FAR * value for name, value in x.items()}
            found: dict[str, Array] = {"log_curve, far away": law.log_curve(far, p)}
            for entry in law.own_inputs:
                stated = np.exp(np.linspace(1.0, 9.0, POINTS))
                known = {name: stated * (i + 1.0) for i, name in enumerate(entry.needs)}
                found[f"input({entry.name})"] = entry.follow(known)
            if forms.optimum is not None:
                found["optimum"] = forms.optimum(np.linspace(40.0, 60.0, POINTS), p)
            for name in ("frontier", "params_exponent"):
                if (form := getattr(forms, name)) is not None:
                    found[name] = form(p)
            if law.coordinates is not None:
                at = law.coordinates.forward({name: np.log(value) for name, value in p.items()})
                found |= {f"coordinates({name})": value for name, value in at.items()}
                found["coordinates"] = law.coordinates.log_jacobian(at)
            return signature(law) | {name: _listed(value) for name, value in found.items()}
    # Expressions are a user's, and may raise anything: two laws are compared all the same.
    except Exception:
        functions = (law.log_curve, law.slopes, *vars(forms).values(), *law.best.values())
        # Functions stay what they are when a law is pickled and read again; other objects do not.
        identities = [*map(id, functions), law.coordinates]
        return {f"expressions at {identities}": []}


def fixed_points(law: "Law") -> tuple[dict[str, Array], dict[str, Array]]:
    """Log inputs between -2 and 2 and parameters between 0.2 and 0.8, the same for ever."""
    inputs, names = sorted(law.inputs), sorted(law.names)
    unit = _halton(len(inputs) + len(names))
    x = {name: 4.0 * unit[i] - 2.0 for i, name in enumerate(inputs)}
    p = {name: 0.2 + 0.6 * unit[len(inputs) + i] for i, name in enumerate(names)}
    return x, p


def _halton(dimensions: int) -> Array:
    """Coordinates (dimension, point) of the Halton sequence, after its first point, the origin."""
    found: list[list[float]] = []
    primes: list[int] = []
    candidate = 2
    while len(primes) < dimensions:
        if all(candidate % prime for prime in primes):
            primes.append(candidate)
            found.append([_radical_inverse(index, candidate) for index in range(1, POINTS + 1)])
        candidate += 1
    return np.array(found)


def _radical_inverse(index: int, base: int) -> float:
    """The digits of an index in a base, mirrored at the point."""
    result, place = 0.0, 1.0 / base
    while index:
        index, digit = divmod(index, base)
        result += digit * place
        place /= base
    return result


def _listed(value: Any) -> list[float]:
    full = np.broadcast_to(np.asarray(value, dtype=np.float64), (POINTS,))
    # JSON has neither NaN nor infinity; a number below every other stands for both.
    return [float(number) if np.isfinite(number) else -1e300 for number in full]


def difference(first: Mapping[str, list[float]], second: Mapping[str, list[float]]) -> str | None:
    """The first expression in which two signatures differ; None where they are the same."""
    for name in sorted({*first, *second}):
        one, other = first.get(name), second.get(name)
        if one is None or other is None or len(one) != len(other):
            return name
        if one != other and not np.allclose(one, other, rtol=_RTOL, atol=_ATOL):
            return name
    return None
