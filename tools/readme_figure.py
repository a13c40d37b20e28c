"""Draw the README's picture: the forecast of the bundled runs.

uv run python tools/readme_figure.py [FIT.nc]

Fits the bundled runs with default settings, or takes the fit of them that is named.
"""

import sys
from pathlib import Path

import bayes_scaling as bs
from bayes_scaling.plots import plot_forecast

TARGET = Path(__file__).resolve().parent.parent / "docs" / "forecast.png"


def main() -> None:
    """Fit, draw, save."""
    fit = bs.load_fit(sys.argv[1]) if sys.argv[1:] else bs.fit(bs.datasets.load("byte_lm"), seed=0)
    figure = plot_forecast(fit)
    figure.savefig(TARGET, dpi=110)
    print(f"{TARGET.name} written")


if __name__ == "__main__":
    main()
