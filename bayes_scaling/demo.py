"""The whole path on the bundled runs."""

from collections.abc import Callable
from pathlib import Path

from bayes_scaling.core.files import check_writable, reason, short_names
from bayes_scaling.core.progress import Progress
from bayes_scaling.decisions import Risk, Scenario, allocate
from bayes_scaling.errors import FileError
from bayes_scaling.forecast import predict
from bayes_scaling.inference import fit
from bayes_scaling.report import write_report
from bayes_scaling.runs import datasets

__all__ = ["run_demo"]

_TIMES = 10.0
"""The demo's budget, in units of the largest fitted run of the family."""


def run_demo(
    folder: str, seed: int, write: Callable[[str], None], progress: Progress | None = None
) -> Path:
    """Fit, check, forecast, allocate and report on the bundled runs.

    Parameters
    ----------
    folder : str
        Where the files go; made if missing.
    seed : int
        Random seed.
    write : callable
        Told what was found, a few lines at a time.
    progress : Progress, optional
        Where to say how far it is.

    Returns
    -------
    pathlib.Path
        The report.

    Raises
    ------
    FileError
        If the folder cannot be made or written.
    """
    progress = progress or Progress()
    out = _made(folder)
    runs = datasets.load("byte_lm")
    write(
        f"{len(runs)} training runs of small byte-level transformers in {len(runs.families)} "
        f"families: {', '.join(runs.families)}."
    )
    fitted = fit(runs, seed=seed, progress=progress)
    fitted.save(out / "fit.nc")
    with progress.stage("diagnosis", "diagnosing the fit"):
        diagnosis = fitted.diagnose()
    write(f"Fit: {diagnosis.verdict}")
    targets = fitted.targets
    forecast = predict(fitted, targets[["run", "family", "params", "tokens", "flops"]], seed=seed)
    forecast.save(out / "forecast.csv")
    table = forecast.to_frame().assign(observed=targets["loss"].to_numpy())
    write("The largest runs were kept out of the fit. Forecast, and what they reached:")
    write(table[["run", "q05", "q50", "q95", "observed"]].to_string(index=False))
    plans, names = [], short_names(fitted.families)
    with progress.stage("plans", "choosing plans", len(names), "families") as stage:
        for family in fitted.families:
            largest = fitted.runs.loc[fitted.runs["family"] == family, "flops"].max()
            scenario = Scenario(
                compute_budget=_TIMES * float(largest), risk=Risk("cvar", 0.9), family=family
            )
            plan = allocate(fitted, scenario, seed=seed)
            plan.save(out / f"plan-{names[family]}.json")
            write(f"{_TIMES:g} times the largest fitted run: {plan}")
            plans.append(plan)
            stage.advance()
    title = "Scaling of small byte-level language models"
    write_report(out / "report.json", fitted, *plans, title=title, progress=progress)
    report = write_report(out / "report.html", fitted, *plans, title=title, progress=progress)
    write(f"Open the report: {report}")
    return report


def _made(folder: str) -> Path:
    out = Path(folder)
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise FileError(f"cannot make the folder {out}: {reason(error)}") from error
    check_writable(out / "report.html")
    return out
