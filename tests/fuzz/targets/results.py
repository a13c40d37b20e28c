"""Result files of every kind, and what a report makes of them."""

import json
import tempfile
from functools import cache
from pathlib import Path
from random import Random
from typing import Any, get_args

from bayes_scaling.core.result import kind_name
from bayes_scaling.report import load_result, write_report
from bayes_scaling.report.content_records import OtherResults
from bayes_scaling.report.figures import entries_of
from bayes_scaling.report.sections.other_results import sentences
from bayes_scaling.results.kinds import AnyResult
from tests.fuzz.engine import Made, Target, UnsoundError
from tests.fuzz.mutate import mutated_bytes, mutated_json, written_json
from tests.fuzz.targets.given import fit
from tests.schemas.written import every_kind

__all__ = ["target"]

KINDS = {kind_name(kind) for kind in get_args(AnyResult)}


def target() -> Target:
    """Files of results, through everything that reads them."""
    contents = _contents()
    names = sorted(contents)

    def make(rng: Random) -> Made:
        content = contents[rng.choice(names)]
        if rng.random() < 0.1:
            return Made("result.json", mutated_bytes(rng, json.dumps(content).encode()))
        return Made("result.json", written_json(rng, mutated_json(rng, content)))

    # What passes is drawn, or written as a whole report, which takes seconds of its own.
    return Target("results", make, _read, work=30.0)


@cache
def _contents() -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as folder:
        written = every_kind(Path(folder))
    return {name: one for name, one in written.items() if name.partition(",")[0] in KINDS}


def _read(path: Path) -> None:
    result = load_result(path)
    str(result)
    repr(result)
    if hasattr(result, "_repr_html_"):
        result._repr_html_()
    content = result.to_dict()
    saved = path.parent / "out" / "saved.json"
    result.save(saved)
    if load_result(saved).to_dict() != content:
        raise UnsoundError("it is not read back as it was")
    kind = kind_name(type(result))
    if kind != "plan":
        sentences(result)
    # Figures and pages cost more: for some of the files, chosen by their content.
    chosen = sum(path.read_bytes()) % 24
    if chosen < 5 and kind != "plan":
        others = {name: [result] if name == kind else [] for name in KINDS - {"plan"}}
        for entry in entries_of(OtherResults(**others)):
            assert entry.figure is None or entry.figure
    elif kind == "plan" and chosen < 2:
        from bayes_scaling.plots import plot_allocation, plot_alternatives
        from bayes_scaling.plots.style import to_svg

        to_svg(plot_allocation(result))
        if content["alternatives"]:
            to_svg(plot_alternatives(result))
    elif chosen == 6:
        write_report(path.parent / "out" / "report.html", fit(), result)
    elif chosen in (7, 8):
        write_report(path.parent / "out" / "report.md", fit(), result)
