"""Real studies of language models: what each is, and its families of runs in canonical columns.

A file in ``studies/`` adds one. Its fields are those of :class:`Study`.
"""

from functools import cache
from pathlib import Path

import msgspec
import pandas as pd

import bayes_scaling as bs
from bayes_scaling.runs import datasets

CARDS = Path(__file__).parent / "studies"
SHARED = Path(__file__).resolve().parents[3] / "shared" / "data"
"""Where numbers lie that may be used and not shipped; studies of them are left out without it."""
COLUMNS = ("run", "family", "root", "params", "tokens", "flops", "loss")
CANONICAL = {"run_id": "run", "N": "params", "D": "tokens", "U": "unique_tokens", "C": "flops"}


class Study(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One study.

    Parameters
    ----------
    root : str
        What shares runs or makers has one root; families of one root never inform each other.
    dataset : str
        The bundled data set that its runs are in; or
    file : str
        a file beside the checkout, with
    source, licence : str
        where its numbers come from. Those of a bundled data set are in its card.
    note : str
        What of it is used, and why the rest is not.
    keep : str
        Which rows are sound for a law of parameters and tokens, as pandas.DataFrame.query reads it.
    family : str
        Name of a row's family, a template of columns.
    params, flops : str
        Their columns; without one of compute, or where it is blank, compute is 6·N·D.
    least : int
        Families of fewer runs are left out.
    scored : bool
        Whether it is forecast, or informs populations alone.
    """

    name: str = ""
    root: str
    dataset: str = ""
    file: str = ""
    source: str = ""
    licence: str = ""
    note: str = ""
    keep: str
    family: str = "{family}"
    params: str = "params"
    flops: str = ""
    least: int = 6
    scored: bool = True

    @property
    def shipped(self) -> bool:
        """Whether the package holds its numbers."""
        return bool(self.dataset)

    @property
    def present(self) -> bool:
        """Whether its numbers are on this machine."""
        return self.shipped or (SHARED / self.file).exists()

    def tables(self) -> dict[str, pd.DataFrame]:
        """Return its families by name, in ``COLUMNS``."""
        return {name: rows.copy() for name, rows in _tables(self).items()}

    def card(self) -> tuple[str, str]:
        """Return its source and its licence."""
        if not self.shipped:
            return self.source, self.licence
        card = bs.datasets.card(self.dataset)
        return card.paper or card.source, card.licence


@cache
def _tables(study: Study) -> dict[str, pd.DataFrame]:
    own = datasets.load_table(study.dataset) if study.shipped else pd.read_csv(SHARED / study.file)
    raw = own.rename(columns=CANONICAL)
    if "run" not in raw:
        raw = raw.assign(run=raw.index)
    raw = raw.query(study.keep)
    params, tokens = raw[study.params].astype(float), raw["tokens"].astype(float)
    flops = raw[study.flops].astype(float) if study.flops else params * float("nan")
    table = pd.DataFrame(
        {
            "run": raw["run"].astype(str),
            "family": [study.family.format_map(row) for row in raw.to_dict("records")],
            "root": study.root,
            "params": params,
            "tokens": tokens,
            "flops": flops.fillna(6.0 * params * tokens),
            "loss": raw["loss"].astype(float),
        }
    )
    return {
        str(name): rows.reset_index(drop=True)
        for name, rows in table.groupby("family")
        if len(rows) >= study.least
    }


def cards() -> list[Study]:
    """Return every study that is described, by name."""
    found = []
    for path in sorted(CARDS.glob("*.toml")):
        study = msgspec.toml.decode(path.read_bytes(), type=Study)
        found.append(msgspec.structs.replace(study, name=path.stem))
    return found


def studies(*, scored: bool = False) -> dict[str, pd.DataFrame]:
    """Return the families of all studies at hand, by name.

    Parameters
    ----------
    scored : bool
        Leave out those that inform populations alone.

    Returns
    -------
    dict of str to pandas.DataFrame
        Columns run, family, root, params, tokens, flops, loss.
    """
    found: dict[str, pd.DataFrame] = {}
    for study in cards():
        if study.present and (study.scored or not scored):
            found |= study.tables()
    return found
