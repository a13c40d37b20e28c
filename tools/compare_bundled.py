"""Compare the additive law with the one that has an outer exponent, on the bundled runs.

uv run python tools/compare_bundled.py
"""

import bayes_scaling as bs


def main() -> None:
    """Fit, hold out, print."""
    found = bs.compare(
        bs.datasets.load("byte_lm"), ["chinchilla", "chinchilla-gamma"], ratio=8, prior="weak"
    )
    print(found)
    print(found.held_out)


if __name__ == "__main__":
    main()
