"""Data cards: what a bundled data set holds, where it comes from and what it is good for."""

import html
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Annotated, Literal

import msgspec
import numpy as np

from bayes_scaling.core.records import Record, about
from bayes_scaling.runs.input_columns import INPUTS

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["DataCard", "DataSet", "Range", "make_card"]

_COUNTED = {"params": "parameters", "params_nonemb": "parameters without embeddings"}
_RANGES = ("params", "tokens", "flops", "loss")


class DataSet(Record, frozen=True, kw_only=True):
    """What is stated about a data set."""

    title: Annotated[str, about("What it is, in a phrase.")]
    file: Annotated[str, about("Folder and name of the file.")]
    source: Annotated[str, about("Repository that the numbers come from.")]
    commit: Annotated[str, about("Commit of the repository; empty for runs of this project.")] = ""
    paper: Annotated[str, about("Authors, year, title and arXiv number.")] = ""
    licence: Annotated[str, about("Licence of the numbers, by SPDX identifier.")]
    holder: Annotated[str, about("Copyright line of the licence; empty: not known.")] = ""
    notice: Annotated[str, about("File with the notice that the licence asks for.")] = ""
    count: Annotated[
        Literal["params", "params_nonemb"], about("Column that counts the parameters.")
    ] = "params"
    counted: Annotated[str, about("What the parameters and the loss are, in words.")]
    laws: Annotated[
        tuple[str, ...], about("Laws that the rows of load() can separate; empty for other tables.")
    ] = ()
    use: Annotated[str, about("What it is good for.")]
    traps: Annotated[tuple[str, ...], about("What misleads who does not know it.")] = ()
    where: Annotated[
        dict[str, tuple[str, ...]], about("Values of columns that its rows have; empty: all rows.")
    ] = msgspec.field(default_factory=dict)

    @property
    def kind(self) -> str:
        """Whether it is loaded as "runs", or is a "table" of something else."""
        return "runs" if self.laws else "table"


class Range(Record, frozen=True, kw_only=True):
    """The smallest and the largest value of a column."""

    low: Annotated[float, about("Smallest value.")]
    high: Annotated[float, about("Largest value.")]


class DataCard(DataSet, frozen=True, kw_only=True):
    """A data card: what is stated about a data set, and what its file shows.

    Attributes
    ----------
    name : str
        Name of the data set.
    title, file, source, commit, paper, licence, holder, notice, count, counted, laws, use : str
        As stated; ``laws`` are a tuple of names.
    traps : tuple of str
        What misleads who does not know it.
    rows : int
        Rows that belong to the data set: runs, or points of a table.
    families, roots : tuple of str
        Names; families of one root have makers, code or text in common.
    targets : int
        Rows with the role "target".
    ranges : dict of str to Range
        Of params (parameters), tokens (tokens), flops (FLOP) and loss (``loss_unit``).
    loss_unit : str
        Unit of the loss; empty where there is none.
    left_out : dict of str to int
        Rows of the file that :func:`bayes_scaling.datasets.load` leaves out, by reason.
    flags : dict of str to int
        How many flags of each code its runs have.
    """

    name: Annotated[str, about("Name of the data set.")]
    rows: Annotated[int, about("Rows that belong to it.", ge=1)]
    families: Annotated[tuple[str, ...], about("Names of families.")]
    roots: Annotated[tuple[str, ...], about("Who made the runs: studies with makers in common.")]
    targets: Annotated[int, about("Rows with the role target.", ge=0)]
    ranges: Annotated[dict[str, Range], about("Ranges by column.")]
    loss_unit: Annotated[str, about("Unit of the loss; empty where there is none.")]
    left_out: Annotated[dict[str, int], about("Rows that load leaves out, by reason.")]
    flags: Annotated[dict[str, int], about("Number of flags of its runs, by code.")]

    def lines(self) -> Iterator[tuple[str, str]]:
        """Its content as pairs of a heading and a text."""
        noun = "runs" if self.laws else "rows"
        targets = f", {self.targets} of them targets" if self.targets else ""
        yield noun, f"{self.rows}{targets}"
        yield "families", _named(self.families)
        for column, span in self.ranges.items():
            unit = {"tokens": "tokens", "flops": "FLOP", "loss": self.loss_unit}.get(
                column, _COUNTED[self.count]
            )
            yield column, f"{_range(span)} {unit}"
        yield "counted", self.counted
        yield "use", self.use
        if self.laws:
            yield "laws", ", ".join(self.laws)
        for trap in self.traps:
            yield "trap", trap
        if self.flags:
            yield "flags", ", ".join(f"{code} × {count}" for code, count in self.flags.items())
        for reason, rows in self.left_out.items():
            yield "left out", f"{rows} rows: {reason}"
        if self.left_out:
            yield "all rows", f"datasets.load_table({self.name!r}), reasons in column left_out"
        yield "root", ", ".join(self.roots)
        yield "source", f"{self.source} @{self.commit}" if self.commit else self.source
        if self.paper:
            yield "paper", self.paper
        holder = self.holder or "copyright line not known"
        yield "licence", f"{self.licence}; {holder}; {self.notice}" if self.notice else self.licence

    def __str__(self) -> str:
        width = max(len(heading) for heading, _ in self.lines())
        texts = [f"  {heading:<{width}}  {text}" for heading, text in self.lines()]
        return "\n".join([f"{self.name}: {self.title}", *texts])

    __repr__ = __str__

    def _repr_html_(self) -> str:
        rows = "".join(
            f"<tr><th>{html.escape(heading)}</th><td>{html.escape(text)}</td></tr>"
            for heading, text in self.lines()
        )
        head = f"<p><b>{html.escape(self.name)}</b>: {html.escape(self.title)}</p>"
        return f"<div>{head}<table>{rows}</table></div>"


def make_card(
    name: str,
    stated: DataSet,
    rows: "pd.DataFrame",
    out: "pd.DataFrame",
    flags: Iterable[str] = (),
) -> DataCard:
    """Return the card of a data set.

    Parameters
    ----------
    name : str
        Name of the data set.
    stated : DataSet
        What is stated about it.
    rows, out : pandas.DataFrame
        Rows of the file that belong to it, and those left out for a reason.
    flags : iterable of str
        Codes of the flags of its runs, with repeats.
    """
    units = rows["loss_unit"].dropna().unique().tolist() if "loss_unit" in rows else []
    reasons = Counter(out["left_out"].tolist() if "left_out" in out else ())
    roots = rows["root"].unique().tolist() if "root" in rows else [stated.file.partition("/")[0]]
    facts = {entry: getattr(stated, entry) for entry in DataSet.__struct_fields__}
    return DataCard(
        **facts,
        name=name,
        rows=len(rows),
        families=tuple(rows["family"].unique().tolist()),
        roots=tuple(roots),
        targets=int(rows["role"].eq("target").sum()) if "role" in rows else 0,
        ranges=_ranges(rows, stated.count),
        loss_unit=", ".join(units),
        left_out=dict(reasons.most_common()),
        flags=dict(Counter(flags).most_common()),
    )


def _ranges(rows: "pd.DataFrame", count: str) -> dict[str, Range]:
    values = {name: rows[name] for name in ("tokens", "flops", "loss") if name in rows}
    if count in rows:
        values["params"] = rows[count]
    computed = INPUTS["flops"].follow(values)
    stated = values.get("flops")
    values["flops"] = computed if stated is None else stated.fillna(computed)
    found = {}
    for name in _RANGES:
        numbers = np.asarray(values.get(name, np.nan), dtype=np.float64)
        if np.isfinite(numbers).any():
            found[name] = Range(low=float(np.nanmin(numbers)), high=float(np.nanmax(numbers)))
    return found


def _named(names: tuple[str, ...], most: int = 8) -> str:
    shown = ", ".join(names[:most])
    return f"{len(names)}: {shown}{' …' if len(names) > most else ''}"


def _range(span: Range) -> str:
    return f"{span.low:.4g}" if span.low == span.high else f"{span.low:.4g} to {span.high:.4g}"
