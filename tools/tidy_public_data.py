"""Write data/public, tidied tables of public studies, from the folder of files they came in.

uv run python tools/tidy_public_data.py [FOLDER]

Every row is kept: those that a law of parameters and tokens cannot follow say why in ``left_out``.
Cells stay as they are written, so no number gains a digit; columns that are blank in every row go.
"""

import argparse
import csv
import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
OUT = ROOT / "data" / "public"
SOURCE = ROOT.parent / "shared" / "public"

type Row = Mapping[str, str]
type Rule = tuple[str, Callable[[Row], bool]]

NAMES = {
    "run_id": "run",
    "N": "params",
    "N_nonemb": "params_nonemb",
    "D": "tokens",
    "U": "unique_tokens",
    "C": "flops",
}
"""Columns that every file names alike."""

FIRST = (
    *("run", "family", "root", "role", "left_out", "params", "params_nonemb", "tokens"),
    *("unique_tokens", "flops", "loss", "loss_unit", "loss_se", "step", "batch_tokens", "seed"),
    *("n_layer", "d_model", "lr_schedule"),
)
"""Columns that come first, in this order, where a table has them."""

NOTES = ("outlier", "flops_src", "loss_note")
"""Columns of the collection whose content stands in ``left_out`` and in the data cards."""


@dataclass(frozen=True)
class Study:
    """How one file becomes a table.

    Parameters
    ----------
    root : str or mapping
        Who made the runs, one name for all or by family.
    names : mapping
        New names of columns, beside ``NAMES``.
    drop : tuple of str
        Columns to leave out, beside ``NOTES``.
    fill : mapping
        Columns made of the others: a function of a row of the file.
    left_out : tuple of (str, callable)
        Reasons to leave a row out of a law of parameters and tokens, the first that holds counts.
    """

    root: str | Mapping[str, str]
    names: Mapping[str, str] = field(default_factory=dict)
    drop: tuple[str, ...] = ()
    fill: Mapping[str, Callable[[Row], str]] = field(default_factory=dict)
    left_out: tuple[Rule, ...] = ()


def outlier(reason: str, code: str) -> Rule:
    """Rows that the collection marks with a code."""
    return reason, lambda row: row["outlier"] == code


def ends(reason: str, *suffixes: str) -> Rule:
    """Families by the end of their name."""
    return reason, lambda row: row["family"].endswith(suffixes)


def families(reason: str, *names: str) -> Rule:
    """Families by name."""
    return reason, lambda row: row["family"] in names


def few_tokens() -> Rule:
    """Runs that see too little text for their size to follow a law."""
    return "fewer than 3 tokens a parameter", lambda row: float(row["D"]) < 3 * float(row["N"])


def _nats(_: Row) -> str:
    return "nats/token"


_SPLIT = {"split_src": "split"}
_COLPRET_ROOTS = {
    **dict.fromkeys(("datablations_c4", "datablations_oscar"), "datablations"),
    **dict.fromkeys(("overtrain_c4_original", "overtrain_rpj", "overtrain_rw_original"), "gadre"),
    **dict.fromkeys(("olmo", "olmo_c4en", "olmo_pile", "olmo_twin"), "olmo"),
    **{name: name for name in ("gpt3", "opt", "redpajama")},
}
_READ_ON = {"nats/token (train)": "training", "perplexity": "validation, from perplexity"}

STUDIES = {
    "colpret": Study(
        root=_COLPRET_ROOTS,
        drop=("split", "loss_raw"),
        fill={
            "loss_unit": _nats,
            "loss_read_on": lambda row: _READ_ON.get(
                row["loss_unit"], row["loss_unit"].removeprefix("nats/token").strip(" ,()")
            ),
        },
        left_out=(
            outlier("identical to another run", "identical_to_another_run"),
            outlier("log cut off", "log_truncated"),
            families(
                "repeated data, unique tokens not stated", "datablations_c4", "datablations_oscar"
            ),
            families(
                "fewer than four runs of the family",
                *("olmo", "olmo_c4en", "olmo_pile", "olmo_twin", "redpajama"),
            ),
        ),
    ),
    "datablations": Study(
        root="datablations",
        drop=("split", "split_epochs"),
        fill={"loss_unit": _nats},
        left_out=(
            outlier("parameters not stated for this shape", "N_not_stated_for_this_shape"),
            outlier("loss equal to that of another run", "identical_loss_for_two_runs"),
            outlier(
                "worse than the same run on data repeated 8 times",
                "worse_than_its_8x_repeated_twin",
            ),
            outlier("0.3 nats above neighbouring runs", "0.3_nats_above_neighbours"),
            ("overfitted by repetition", lambda row: row["overfit"] == "True"),
            few_tokens(),
        ),
    ),
    "dclm_downstream": Study(
        root="dclm",
        names={"accuracy": "core_accuracy", "extended": "extended_accuracy"},
        drop=("family_sizes",),
    ),
    "gadre": Study(
        root="gadre",
        drop=("split",),
        fill={"loss_unit": _nats},
        left_out=(outlier("fewer than 20 tokens a parameter", "M<20_undertrained"),),
    ),
    "gadre_grid": Study(
        root="gadre",
        drop=("split", "key_field4", "key_field7"),
        fill={"loss_unit": _nats},
        left_out=(outlier("diverged or unstable", "diverged_or_unstable"),),
    ),
    "gemstones": Study(
        root="gemstones",
        drop=("split",),
        fill={"loss_unit": _nats},
        left_out=(
            families("learning rate not decayed, one D", "constant_lr", "constant_half_lr"),
            outlier("extreme aspect ratio", "extreme_aspect_ratio"),
        ),
    ),
    "gemstones_curves": Study(root="gemstones", drop=("lr_schedule",), fill={"loss_unit": _nats}),
    "lr_schedule_curves": Study(root="multi-power-law", names={"schedule": "lr_schedule"}),
    "mixture_regmix": Study(root="regmix", names=_SPLIT),
    "moe_upcycling": Study(root="upcycling", names=_SPLIT),
    "olmo_ladder": Study(
        root="olmo",
        names={"role_src": "paper_role", "xC": "chinchilla_multiple", "loss_ma5": "loss_mean_of_5"},
        drop=("accuracy",),
        fill={"role": lambda row: "target" if row["role_src"] == "target" else ""},
    ),
    "olmo_ladder_curves": Study(
        root="olmo",
        names={"xC": "chinchilla_multiple"},
        drop=("accuracy", "params_paper", "size", "rerun"),
    ),
    "porian": Study(
        root="porian",
        drop=("split", "tokens_per_param"),
        fill={"loss_unit": _nats},
        left_out=(
            ends("read off mid-schedule", "_kaplan"),
            few_tokens(),
        ),
    ),
    "precision_quest": Study(root="quest", names={"scheduler": "lr_schedule"}),
    "routed_moe": Study(
        root="routed",
        left_out=(
            (
                "mixture of experts: the loss depends on n_experts and n_active",
                lambda row: row["family"] != "routed_dense",
            ),
        ),
    ),
}


def tidy(name: str, folder: Path) -> str:
    """Return a tidied table as text."""
    study = STUDIES[name]
    with (folder / f"{name}.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    columns = {
        NAMES.get(old, study.names.get(old, old)): [row[old] for row in rows]
        for old in rows[0]
        if old not in {*NOTES, *study.drop}
    }
    columns |= {new: [make(row) for row in rows] for new, make in study.fill.items()}
    columns["root"] = [
        study.root if isinstance(study.root, str) else study.root[row["family"]] for row in rows
    ]
    columns["left_out"] = [
        next((reason for reason, holds in study.left_out if holds(row)), "") for row in rows
    ]
    _unmarked(name, study, rows)
    stated = [column for column, cells in columns.items() if any(cells)]
    order = [column for column in FIRST if column in stated]
    order += [column for column in stated if column not in order]
    return _csv(order, [[columns[column][at] for column in order] for at in range(len(rows))])


def _unmarked(name: str, study: Study, rows: list[dict[str, str]]) -> None:
    """Every row that the collection marks is to be left out for a reason."""
    for row in rows:
        if row.get("outlier") and not any(holds(row) for _, holds in study.left_out):
            raise ValueError(f"{name}: no rule of left_out covers outlier {row['outlier']!r}")


def _csv(header: list[str], rows: list[list[str]]) -> str:
    from io import StringIO

    text = StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(header)
    writer.writerows(rows)
    return text.getvalue()


def main() -> None:
    """Write every table, and their checksums."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", nargs="?", type=Path, default=SOURCE)
    folder = parser.parse_args().folder
    OUT.mkdir(exist_ok=True)
    sums = []
    for name in sorted(STUDIES):
        data = tidy(name, folder).encode()
        (OUT / f"{name}.csv").write_bytes(data)
        sums.append(f"{hashlib.sha256(data).hexdigest()}  {name}.csv\n")
    (OUT / "SHA256SUMS").write_text("".join(sums), encoding="utf-8")
    print(f"{len(sums)} tables written to {OUT.relative_to(ROOT)}")


if __name__ == "__main__":
    main()
