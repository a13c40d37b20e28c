"""Results as tables, in Markdown and as plain text."""

import pandas as pd

from benchmarks.extrapolation.cases import ALL, FEW_RATIO, FEW_RUNS, FEW_SAMPLES
from benchmarks.extrapolation.methods import DEFAULT, METHODS
from benchmarks.extrapolation.studies import cards
from benchmarks.extrapolation.summary import (
    against,
    by_root,
    order,
    over_others,
    reasons,
    scored,
    summarise,
)


def markdown(table: list[list[str]]) -> str:
    """Return a table, the first line its head."""
    head, *lines = table
    rows = [head, ["---"] * len(head), *lines]
    return "\n".join("| " + " | ".join(row) + " |" for row in rows) + "\n"


def roots_table(results: pd.DataFrame) -> str:
    """Return what each root is made of."""
    rows = results[results["sample"] == ALL]
    lines = [["root", "source", "licence", "shipped", "families, runs", "used", "forecast at"]]
    for card in cards():
        if not card.present:
            continue
        tables = card.tables()
        ratios = sorted(rows.loc[rows["family"].isin(list(tables)), "ratio"].unique())
        runs = sum(map(len, tables.values()))
        source, licence = card.card()
        told = ", ".join(f"{ratio:g}x" for ratio in ratios) or "–"
        shipped = f"`{card.dataset}`" if card.shipped else "no"
        size = f"{len(tables)}, {runs}"
        lines.append([card.root, source, licence, shipped, size, card.note, told])
    return markdown(lines)


def methods_table(results: pd.DataFrame) -> str:
    """Return what the methods do."""
    lines = [["method", "", "what it does"]]
    for name in order(list(results["method"].unique())):
        known = METHODS.get(name)
        if known:
            lines.append([name, "b" if known.baseline else "", known.says])
    return markdown(lines)


def scores_table(rows: pd.DataFrame, ratio: float) -> str:
    """Return the scores of methods at one distance."""
    table = summarise(rows).loc[ratio]
    interval, absolute = (against(rows, name).loc[ratio] for name in ("interval", "absolute"))
    head = ["method", "roots", "50%", "80%", "90%", "95%", "lowest", "error", "absolute error"]
    head += ["interval score", "CRPS", "width", "interval score over bootstrap's"]
    lines = [[*head, "absolute error over bootstrap's", "interval score over best baseline's"]]
    for name in order(list(table.index)):
        one = table.loc[name]
        cells = [f"**{name}**" if name == DEFAULT else name, f"{one['roots']:.0f}"]
        cells += [f"{one[c]:.2f}" for c in ("in_50", "in_80", "in_90", "in_95", "lowest")]
        cells += [f"{100 * one['error']:+.2f}%", f"{100 * one['absolute']:.2f}%"]
        cells += [f"{one['interval']:.4f}", f"{one['crps']:.4f}", f"{one['width']:.4f}"]
        cells += [_ratio(interval.loc[name, "bootstrap"]), _ratio(absolute.loc[name, "bootstrap"])]
        lines.append([*cells, _ratio(interval.loc[name, "best"])])
    return f"### {ratio:g} times beyond\n\n" + markdown(lines)


def _ratio(value: float) -> str:
    return "" if pd.isna(value) else f"{value:.2f}"


def default_table(rows: pd.DataFrame) -> str:
    """Return the default's scores by root and distance."""
    own = by_root(rows).join(over_others(rows, "interval")).xs(DEFAULT, level="method")
    counts = rows[rows["method"] == DEFAULT].groupby(["ratio", "root"]).size()
    lines = [["beyond", "root", "runs", "50%", "90%", "error", "interval score"]]
    lines[0] += ["over bootstrap's", "over best baseline's"]
    for (ratio, root), one in own.iterrows():
        cells = [f"{ratio:g}x", str(root), str(counts[ratio, root])]
        cells += [f"{one['in_50']:.2f}", f"{one['in_90']:.2f}", f"{100 * one['error']:+.2f}%"]
        lines.append([*cells, f"{one['interval']:.4f}", *map(_ratio, one[["bootstrap", "best"]])])
    return "## The default by root\n\n" + markdown(lines)


def quality_line(rows: pd.DataFrame) -> str:
    """Say how well the default's fits were sampled, and how long they took."""
    own = rows[rows["method"] == DEFAULT]
    if own.empty:
        return ""
    seconds = own.drop_duplicates(["root", "ratio", "sample", "families"])["seconds"]
    return (
        f"The default's {len(seconds)} fits have an R-hat of at most {own['r_hat'].max():.3f}, "
        f"{own['ess'].min():.0f} effective draws or more and at most "
        f"{own['divergences'].max():.0f} divergent draws; fit and forecast took "
        f"{seconds.median():.1f} s (median; {seconds.max():.1f} s the longest).\n"
    )


def few_table(results: pd.DataFrame) -> str:
    """Return the scores of samples of few runs of one family."""
    few, full = scored(results, few=True), scored(results)
    if few.empty:
        return ""
    roots, table = by_root(few).loc[FEW_RATIO], summarise(few).loc[FEW_RATIO]
    wide = by_root(full)["width"]
    lines = [["method", "roots", "50%", "90%", "lowest", "error", "interval score", "width"]]
    lines[0].append("width over that from all runs of the root")
    for name in order(list(table.index)):
        one = table.loc[name]
        cells = [name, f"{one['roots']:.0f}"]
        cells += [f"{one[c]:.2f}" for c in ("in_50", "in_90", "lowest")]
        cells += [f"{100 * one['error']:+.2f}%", f"{one['interval']:.4f}", f"{one['width']:.4f}"]
        over = ""
        if (FEW_RATIO, name) in wide.index.droplevel("root"):
            over = _ratio(float((roots.loc[name, "width"] / wide[FEW_RATIO, name]).mean()))
        lines.append([*cells, over])
    text = (
        f"## {FEW_RUNS} runs of one family\n\nOf the runs at 1/{FEW_RATIO:g} of the largest "
        f"compute, {FEW_RUNS} drawn at random, {FEW_SAMPLES} times.\n\n"
    )
    return text + markdown(lines) + "\n" + _caveats(few)


def _caveats(few: pd.DataFrame) -> str:
    own = few[few["method"] == DEFAULT]
    jobs = own.drop_duplicates(["root", "families", "sample"])
    if jobs.empty:
        return ""
    shares = jobs["caveats"].str.get_dummies(" ").mean().sort_values(ascending=False)
    told = ", ".join(f"`{code}` {share:.0%}" for code, share in shares.items())
    return f"Caveats of the default's {len(jobs)} forecasts: {told or 'none'}.\n"


def reasons_table(results: pd.DataFrame) -> str:
    """Return where a method gave no forecast, and why."""
    lines = [["method", "family", "beyond", "why"]]
    groups = reasons(results).groupby(["method", "family", "reason"])["ratio"]
    for (name, family, reason), ratios in groups:
        told = ", ".join(f"{ratio:g}x" for ratio in sorted(ratios))
        lines.append([name, family, told, reason.replace("|", "\\|")])
    return "## Where a method gave no forecast\n\n" + (
        markdown(lines) if lines[1:] else "Nowhere.\n"
    )


def tables_text(results: pd.DataFrame) -> str:
    """Return all tables of scores as plain text."""
    parts = []
    for few in (False, True):
        rows = scored(results, few=few)
        if rows.empty:
            continue
        over = {
            f"{score} / {base}": against(rows, score)[base]
            for score in ("interval", "absolute", "crps")
            for base in ("bootstrap", "best")
        }
        table = summarise(rows).drop(columns="pit").join(pd.DataFrame(over))
        keep = order(list(table.index.unique("method")))
        table = table.reindex(keep, level="method")
        parts.append(f"{FEW_RUNS} runs of one family\n" if few else "")
        parts.append(table.to_string(float_format="{:.4f}".format) + "\n\n")
        for name in ("in_90", "error", "interval"):
            part = by_root(rows).pivot_table(name, ["ratio", "method"], "root")
            part = part.reindex(keep, level="method")
            parts.append(f"{name} by root\n{part.to_string(float_format='{:.3f}'.format)}\n\n")
    return "".join(parts) + reasons(results).drop(columns="root").to_string(index=False) + "\n"
