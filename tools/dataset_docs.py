"""Write docs/datasets.md, every bundled data set and its card, from the cards and the files.

uv run python tools/dataset_docs.py
"""

from collections.abc import Iterator
from pathlib import Path

from bayes_scaling.runs import datasets
from bayes_scaling.runs.data_cards import DataCard

PAGE = Path(__file__).resolve().parent.parent / "docs" / "datasets.md"
_HEAD = """\
# Data sets

Real training runs come with the package: our own small ones, and numbers of public studies of
language models. Written by `uv run python tools/dataset_docs.py` from the cards; a test sees that
it is up to date.

```python
import bayes_scaling as bs

bs.datasets.list()  # the table below, with tokens and losses too
bs.datasets.card("olmo_ladder")  # one of the cards below
runs = bs.datasets.load("olmo_ladder")  # targets are kept out of fits
fit = bs.fit(runs)
forecast = bs.predict(fit, runs.targets())
```

In the shell, `bayes-scaling datasets` lists them, and where a command takes RUNS, `dataset:NAME` is
one: `bayes-scaling fit dataset:olmo_ladder -o olmo.nc`, then
`bayes-scaling predict olmo.nc --at dataset:olmo_ladder -o forecast.csv` for its targets.

What is of kind *runs* is loaded by `bs.datasets.load`: the rows that a law of the card can follow.
Rows that it cannot follow, as a run read off in the middle of its schedule, stay in the file with
the reason in the column `left_out`; the card counts them, and `bs.datasets.load_table` gives the
whole file, which `bs.load_runs` takes too. Nothing else was dropped from the studies, and cells are
written as they were. The column `root` says who made the runs: families of one root share makers,
code or text, so a test on studies *left out* must leave out the root.

Numbers of other people are used under their licences, whose notices are in `data/public/LICENCES`
and in the installed package. Cite the paper of a study whose numbers you use.

"""
_FOOT = """\
## Functions

::: bayes_scaling.runs.datasets
    options:
      members: [list, card, load, load_table, names]
      show_root_heading: false
"""


def page() -> str:
    """Return the whole page."""
    cards = [datasets.card(name) for name in datasets.names()]
    return _HEAD + "\n".join([*_table(cards), "", *map(_section, cards), _FOOT])


def _table(cards: list[DataCard]) -> Iterator[str]:
    yield "| data set | kind | rows | families | N | C, FLOP | root | licence |"
    yield "| --- | --- | --- | --- | --- | --- | --- | --- |"
    for card in cards:
        targets = f" ({card.targets} targets)" if card.targets else ""
        cells = (
            f"[{card.name}](#{card.name})",
            card.kind,
            f"{card.rows}{targets}",
            f"{len(card.families)}",
            _span(card, "params"),
            _span(card, "flops"),
            ", ".join(card.roots),
            card.licence,
        )
        yield f"| {' | '.join(cells)} |"


def _span(card: DataCard, name: str) -> str:
    span = card.ranges.get(name)
    return f"{span.low:.2g} to {span.high:.2g}" if span else ""


def _section(card: DataCard) -> str:
    rows = [f"| {heading} | {_text(text)} |" for heading, text in card.lines()]
    table = "\n".join(["|  |  |", "| --- | --- |", *rows])
    return f"## {card.name}\n\n{card.title[0].upper()}{card.title[1:]}.\n\n{table}\n"


def _text(text: str) -> str:
    """Text of a cell: no character of it is markup."""
    return text.replace("|", "\\|").replace("*", "\\*").replace("_", "\\_")


def main() -> None:
    """Write the page."""
    PAGE.write_text(page(), encoding="utf-8")
    print(f"{PAGE.name} written")


if __name__ == "__main__":
    main()
