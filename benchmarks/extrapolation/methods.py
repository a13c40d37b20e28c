"""The methods that are compared. An entry here adds one."""

from benchmarks.extrapolation.baselines import additive, bootstrap, bootstrap_of_curve, one_input
from benchmarks.extrapolation.bayes import bayes
from benchmarks.extrapolation.isoflop import isoflop
from benchmarks.extrapolation.method import Method

DEFAULT = "default"
BOOTSTRAP = "Huber, bootstrap"

METHODS = {
    DEFAULT: Method(
        bayes(),
        "`bs.fit(runs)` and `fit.predict(configs)` with nothing else given",
    ),
    "default, pooled": Method(
        bayes(pooling="partial"),
        "the same with families of a table pooled in part, whatever their size",
    ),
    "default, weak prior": Method(
        bayes(prior="weak"),
        'the same with `prior="weak"`',
    ),
    "additive, population": Method(
        bayes("chinchilla", pooling="partial"),
        "L = E + A/N^α + B/D^β, its prior learned as the default's, families pooled in part",
    ),
    "additive Bayes, pooled": Method(
        bayes("chinchilla", "weak", "partial"),
        "the additive law with weak priors, families of a table pooled in part",
        baseline=True,
    ),
    "additive Bayes by family": Method(
        bayes("chinchilla", "weak", "none"),
        "the additive law with weak priors, each family by itself",
        baseline=True,
    ),
    "Huber": Method(
        additive,
        "the additive law as Hoffmann et al. 2022 fit it: Huber loss of log L from their grid of "
        "starts; interval from the scatter of its residuals",
        each_family=True,
        baseline=True,
    ),
    BOOTSTRAP: Method(
        bootstrap,
        "the same for 200 resamples of a family's runs, each with the scatter of its residuals",
        each_family=True,
        baseline=True,
    ),
    "Huber, bootstrap of the curve": Method(
        bootstrap_of_curve,
        "the same without the scatter: the interval of the fitted curve, which is often quoted",
        each_family=True,
        baseline=True,
    ),
    "IsoFLOP parabola": Method(
        isoflop,
        "a parabola in log N at each level of compute, its minima as E + A/C^α, off the optimum "
        "the curvature of the nearest levels; interval from the scatter of its residuals",
        each_family=True,
        baseline=True,
    ),
    "power law in C": Method(
        one_input,
        "E + A/C^α by the Huber loss (of N or D where it alone varies); interval from the scatter "
        "of its residuals",
        each_family=True,
        baseline=True,
    ),
}
