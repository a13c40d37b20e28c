"""Real families of runs, for the population prior and the test of intervals.

They are read from ../shared/data, which is not ours to publish, and from our own sweep.
"""

from pathlib import Path

import pandas as pd

import bayes_scaling as bs

SHARED = Path(__file__).resolve().parents[2] / "shared" / "data"
FEWEST = 10

ROOTS = {
    "epochai_chinchilla__massivetext__chinchilla": "massivetext",
    "ml_scalefit__massivetext__chinchilla": "massivetext",
    "llama_3__exp_loss": "llama_3",
    "misfitting__fineweb_c4__transformer": "misfitting",
    "marin_202603__comma__llama_2": "marin",
    "marin_202603__dclm__llama_2": "marin",
    "marin_202603__nemotron__llama_2": "marin",
    "c4": "datablations",
}
"""Which families share their runs or their makers: they never inform each other's prior."""


def load() -> dict[str, pd.DataFrame]:
    """Families by name, in canonical columns with ``root`` added; outliers left out.

    Runs with repeated tokens are left out, because the law knows of fresh ones only.
    """
    found: dict[str, pd.DataFrame] = {}
    isoflops = _clean("isoflops.csv")
    # The raw axis of one study is not a loss per token.
    isoflops = isoflops[isoflops["family"] != "llama_3__raw_loss"]
    repeats = _clean("datablations.csv")
    fresh = repeats["U"].isna() | (repeats["U"] >= 0.99 * repeats["D"])
    repeats = repeats[fresh & (repeats["overfit"].astype(str) != "True")]
    for table in (isoflops, repeats):
        for name, rows in table.groupby("family"):
            if len(rows) >= FEWEST:
                found[str(name)] = _canonical(str(name), rows)
    ours = bs.datasets.load("byte_lm").select(lambda t: t["role"].isin(["grid", "seed", "target"]))
    for name, rows in ours.table.groupby("family"):
        kept = rows[["run", "family", "params", "tokens", "flops", "loss"]]
        found[f"byte_lm_{name}"] = kept.assign(family=f"byte_lm_{name}", root="byte_lm")
    return {name: rows.reset_index(drop=True) for name, rows in found.items()}


def _clean(name: str) -> pd.DataFrame:
    table = pd.read_csv(SHARED / name)
    return table[table["outlier"].isna()]


def _canonical(name: str, rows: pd.DataFrame) -> pd.DataFrame:
    params, tokens = rows["N"].astype(float), rows["D"].astype(float)
    return pd.DataFrame(
        {
            "run": rows["run_id"].astype(str),
            "family": name,
            "root": ROOTS[name],
            "params": params,
            "tokens": tokens,
            "flops": rows["C"].astype(float).fillna(6.0 * params * tokens),
            "loss": rows["loss"].astype(float),
        }
    )
