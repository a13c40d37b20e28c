"""The table, page and figures of measurements of ``latency.py``."""

from pathlib import Path

import matplotlib as mpl
from latency_jobs import GROUPS, JOBS, Job, Kind
from latency_measure import Results, Sample, middle
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from bayes_scaling.plots.style import save_figure, styled

__all__ = ["table", "told", "write"]

HEAD = """\
# How long it takes

Made by `uv run python benchmarks/latency.py --docs`, from the samples in
`benchmarks/latency.json`; no measurement on this page is written by hand. Each row is the median of
its repetitions, each in a process of its own: seconds from the start of the command to its end, CPU
seconds of all its threads, and the largest memory of the process. Jobs that are no command (a
second fit, an update, simulation-based calibration) are timed without the imports of their process.
Where the job is a fit, the largest R-hat, the smallest effective sample size (bulk or tail) of its
parameters, and its divergent draws stand beside it. "> … s" is a job that was ended after so long.
"""
GROWTH = """\
## How it grows

Seconds of `bs.fit` within a process, compiling included where the process needs it, with 1,000
draws of each of 4 chains unless draws are what grows. Tables of one family with more and more runs,
and of more and more families of 12 runs, are simulated; laws and draws are those of the bundled
runs.

![Seconds of a fit by runs, families and draws](latency/growth.svg)

![Seconds of a fit of the bundled runs by law](latency/laws.svg)
"""
HOW = """\
## On your machine

```sh
uv run python benchmarks/latency.py --jobs fit,predict,report --results mine.json
uv run python benchmarks/latency.py --against ../other-checkout --results mine.json
```

The second command measures another checkout of the repository, with an environment `.venv` of its
own, in turn with this one, and adds its columns and the ratios. `bayes-scaling fit -v` says what a
fit spends its seconds on.
"""
_LABELS = {
    "runs": "runs of one family",
    "families": "families of 12 runs",
    "draws": "draws of each of 4 chains",
}


def told(sample: Sample) -> str:
    """Say what a sample took."""
    if sample.failure:
        return sample.failure
    text = f"{sample.seconds:.2f} s, {sample.cpu:.2f} s of CPU, {sample.memory:.0f} MB"
    return f"{text}, {_convergence(sample)}" if sample.r_hat is not None else text


def _convergence(sample: Sample) -> str:
    if sample.r_hat is None or sample.ess is None or sample.divergences is None:
        return ""
    return f"{sample.r_hat:.3f}, {sample.ess:.0f}, {sample.divergences:.0f}"


def _cells(sample: Sample | None) -> list[str]:
    if sample is None or sample.failure:
        return [sample.failure if sample else "", "", ""]
    seconds = f"{_short(sample.seconds)} ({_short(sample.cpu)})"
    return [seconds, f"{sample.memory:.0f}", _convergence(sample)]


def _short(seconds: float) -> str:
    return (
        f"{seconds:.0f}"
        if seconds >= 100
        else f"{seconds:.2g}"
        if seconds < 10
        else f"{seconds:.1f}"
    )


def _ratio(present: Sample | None, other: Sample | None) -> str:
    """Divide seconds, and CPU seconds; an upper bound where the other checkout's job was ended."""
    if present is None or other is None or present.failure:
        return ""
    if other.failure:
        return f"< {present.seconds / other.seconds:.2f}" if other.failure.startswith(">") else ""
    return f"{present.seconds / other.seconds:.2f} ({present.cpu / other.cpu:.2f})"


def table(results: Results, kinds: tuple[Kind, ...] = GROUPS) -> str:
    """Return the table of jobs of some kinds that were measured, in Markdown."""
    compared = "other" in results.commits
    columns = ["seconds (of CPU)", "MB", "R-hat, ESS, divergences"]
    head = ["job", *columns]
    if compared:
        head += [f"other: {name}" for name in columns] + ["ratio (of CPU)"]
    lines = [head, ["---"] * len(head)]
    for job in JOBS.values():
        present, other = (middle(results.of(job, side)) for side in ("present", "other"))
        if job.kind not in kinds or present is other is None:
            continue
        name = job.says if job.kind == "table" else f"{job.kind}: {job.says}"
        cells = [name, *_cells(present)]
        lines.append([*cells, *_cells(other), _ratio(present, other)] if compared else cells)
    return "\n".join("| " + " | ".join(line) + " |" for line in lines) + "\n"


def _measured(results: Results, kind: Kind) -> list[tuple[Job, Sample]]:
    rows = [(job, middle(results.of(job, "present"))) for job in JOBS.values() if job.kind == kind]
    return [(job, sample) for job, sample in rows if sample]


def _against_size(axes: Axes, results: Results, kind: Kind) -> None:
    rows = [(job.size, one) for job, one in _measured(results, kind) if not one.failure]
    sizes = [size for size, _ in rows]
    axes.plot(sizes, [one.seconds for _, one in rows], "o-", label="seconds")
    axes.plot(sizes, [one.cpu for _, one in rows], "s--", label="CPU seconds")
    axes.set_xlabel(_LABELS[kind])
    axes.set_ylim(bottom=0.0)
    axes.set_xlim(left=0.0)


@styled
def _growth(results: Results) -> Figure:
    figure = Figure(figsize=(9.0, 3.0), layout="constrained")
    panels = figure.subplots(1, len(_LABELS), sharey=False)
    for axes, kind in zip(panels, _LABELS, strict=True):
        _against_size(axes, results, kind)
    panels[0].set_ylabel("seconds of a fit")
    panels[0].legend(frameon=False)
    return figure


@styled
def _laws(results: Results) -> Figure:
    rows = sorted(_measured(results, "laws"), key=lambda row: row[1].seconds)
    figure = Figure(figsize=(7.0, 0.6 + 0.22 * len(rows)), layout="constrained")
    axes = figure.subplots()
    lengths = [0.0 if one.failure else one.seconds for _, one in rows]
    axes.barh([job.says for job, _ in rows], lengths, height=0.6)
    for place, (_, one) in enumerate(rows):
        axes.annotate(
            one.failure[:40] or _short(one.seconds),
            (lengths[place], place),
            xytext=(3, 0),
            textcoords="offset points",
            va="center",
            fontsize="small",
        )
    axes.set_xlabel("seconds of a fit of the bundled runs")
    axes.margins(x=0.15, y=0.02)
    return figure


def _where(results: Results) -> str:
    """Say where and of which commits the samples are."""
    if not results.samples:
        return "Nothing has been measured yet.\n"
    at = results.machine
    text = (
        f"Measured on {at['cores']} cores, {at['system']}, Python {at['python']}, at commit "
        f"`{results.commits['present']}`"
    )
    if "other" in results.commits:
        text += f"; the other columns are commit `{results.commits['other']}` in the same run"
    return f"{text}.\n"


def write(results: Results, docs: Path) -> None:
    """Write the page and its figures into the documentation."""
    parts = [HEAD, _where(results), table(results, ("table",)), GROWTH, HOW]
    (docs / "latency.md").write_text("\n".join(parts), "utf-8")
    folder = docs / "latency"
    folder.mkdir(exist_ok=True)
    with mpl.rc_context({"svg.hashsalt": "latency"}):
        save_figure(_growth(results), folder / "growth.svg")
        save_figure(_laws(results), folder / "laws.svg")
    print("docs/latency.md and two figures written")
