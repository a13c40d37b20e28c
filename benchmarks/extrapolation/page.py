"""The page of the benchmark: tables and pictures of a file of results, and nothing else."""

from pathlib import Path

import matplotlib as mpl
import pandas as pd

from bayes_scaling.plots.style import save_figure
from benchmarks.extrapolation.cases import FEW_RATIO, FEWEST, SPREAD
from benchmarks.extrapolation.figures import methods_figure, roots_figure
from benchmarks.extrapolation.methods import BOOTSTRAP, DEFAULT
from benchmarks.extrapolation.summary import scored
from benchmarks.extrapolation.tables import (
    default_table,
    few_table,
    methods_table,
    quality_line,
    reasons_table,
    roots_table,
    scores_table,
)

HEAD = f"""\
# Forecasts beyond the data, against other methods

Made by `uv run python -m benchmarks.extrapolation page FILE.csv`; no number on this page is
written by hand. Real studies of language models are cut at 1/4, 1/8 and 1/30 of each family's
largest compute, methods are fitted to the runs below and scored on those above. A family takes
part where at least {FEWEST} runs lie below, over a factor of {SPREAD:g} of compute; families of
one root, which share runs or makers, are fitted as one table, as one who has that table would.
Every method sees the same tables, and nothing of the losses above.
"""
ROOTS = """\
## Studies

All of these studies informed the population that is shipped. In this benchmark each root is
forecast under a population learned anew from the other roots alone, by the same code. A study
without a distance informs populations alone.
"""
METHOD = """\
## Methods

Baselines are marked b. Where a method cannot be applied, [a table
below](#where-a-method-gave-no-forecast) says why.
"""
SCORES = f"""\
## Scores

Averages over the runs of a family, then the families of a root, then roots. Errors are of log
loss: a positive one is a forecast that is too high. *Lowest* is the 90% coverage of the root
where it is lowest. Interval score (90%), CRPS and width are in log loss too, smaller is better.
The last three columns are geometric means over roots: the score over that of "{BOOTSTRAP}" on the
same root, and over that of the root's best baseline in that score (of the other ones, for a
baseline). Methods that apply to fewer roots are compared on those alone.
"""
PICTURES = """\
![Coverage of the 90% interval and interval score by method and distance](extrapolation.svg)
"""
OUTCOMES = """\
Below, the default's 90% intervals over the outcomes, {ratio:g} times beyond: the head of a panel
says how many runs lay inside; orange intervals missed.

![Forecasts over outcomes by root](extrapolation-roots.png)
"""
HOW = """\
## Run it, add to it

```sh
uv run python -m benchmarks.extrapolation run -o results.csv        # goes on where it was stopped
uv run python -m benchmarks.extrapolation run --few -o few.csv      # eight runs of one family
uv run python -m benchmarks.extrapolation run --part 1/4 -o one.csv # on one of four machines
uv run python -m benchmarks.extrapolation table results.csv few.csv
uv run python -m benchmarks.extrapolation page results.csv few.csv  # this page and its pictures
```

`--ratio`, `--method` and `--study` choose a part of it. Studies that may not be shipped are read
from `../shared/data` and left out where that is missing.

**A method** is a function of the smaller runs, the sizes of the larger ones and a context (a
population that has not seen the root, a seed) that returns draws of their log losses, dims (run,
draw); an entry in `benchmarks/extrapolation/methods.py` adds it:

```python
def last_loss(small, large, context):
    logs = np.log(small["loss"])
    return np.random.default_rng(context.seed).normal(logs.min(), logs.std(), (len(large), 1000))

METHODS["last loss"] = Method(last_loss, "no less than the least", each_family=True)
```

It raises `NotApplicable` with the reason where it cannot forecast.

**A study** is a file in `benchmarks/extrapolation/studies/`: the bundled data set or the file
that it reads, its root, the rows that are sound, the template of its families' names.
"""


def write(results: pd.DataFrame, docs: Path) -> None:
    """Write the page and its pictures."""
    rows = scored(results)
    ratios = sorted(rows["ratio"].unique())
    parts = [HEAD]
    if ratios:
        parts.append(PICTURES)
        with mpl.rc_context({"svg.hashsalt": "extrapolation"}):
            save_figure(methods_figure(rows), docs / "extrapolation.svg")
    parts += [ROOTS, roots_table(results), METHOD, methods_table(results), SCORES]
    parts += [scores_table(rows, ratio) for ratio in ratios] + [quality_line(rows)]
    drawn = sorted(rows.loc[rows["method"] == DEFAULT, "ratio"].unique())
    if drawn:
        ratio = FEW_RATIO if FEW_RATIO in drawn else drawn[0]
        save_figure(roots_figure(results, ratio), docs / "extrapolation-roots.png")
        parts += [default_table(rows), OUTCOMES.format(ratio=ratio)]
    parts += [few_table(results), reasons_table(results), HOW]
    (docs / "extrapolation.md").write_text("\n".join(part for part in parts if part), "utf-8")
