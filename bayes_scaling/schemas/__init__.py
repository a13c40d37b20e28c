"""JSON Schemas (draft 2020-12) of the JSON files that the package writes, from their types."""

from functools import cache
from typing import Any

import msgspec

from bayes_scaling.core.result import Result, kind_name
from bayes_scaling.errors import FileError

__all__ = ["schema", "schema_names"]

type Schema = dict[str, Any]

_DRAFT = "https://json-schema.org/draft/2020-12/schema"
_SCHEMA = "What the file is, and the version of its form."


@cache
def _kinds() -> dict[str, type[Result]]:
    """Types of results, by the name of their file."""
    from bayes_scaling import curves, decisions, forecast
    from bayes_scaling.forecast.forecast_result import ForecastFile
    from bayes_scaling.inference.diagnostics.calibration import Calibration
    from bayes_scaling.inference.diagnostics.diagnosis import Diagnosis
    from bayes_scaling.report.content_records import ReportContent

    found = (
        decisions.Plan,
        decisions.BudgetFrontier,
        decisions.Marginal,
        decisions.NextRuns,
        decisions.ShapeChoice,
        curves.Verdict,
        forecast.Backtest,
        forecast.Comparison,
        ForecastFile,
        Diagnosis,
        Calibration,
        ReportContent,
    )
    return {kind_name(kind): kind for kind in found}


def schema_names() -> tuple[str, ...]:
    """Return the names of the files that have a schema, such as "plan".

    Examples
    --------
    >>> "plan" in schema_names()
    True
    """
    return tuple(sorted(_kinds()))


def schema(name: str) -> Schema:
    """Return the JSON Schema of a file that the package writes.

    It needs no other. Units stand in ``x-unit``.

    Parameters
    ----------
    name : str
        "plan", "report", …: what stands between the point and the slash in the file's own
        ``schema``. All of them are in :func:`schema_names`.

    Returns
    -------
    dict
        A copy of the schema.

    Raises
    ------
    FileError
        If there is none of this name.

    Examples
    --------
    >>> schema("frontier")["$id"]
    'urn:bayes-scaling:frontier:2'
    >>> schema("plan")["properties"]["loss"]["x-unit"]
    'loss'
    """
    if name not in _kinds():
        raise FileError(f"there is no schema {name!r}; there are {', '.join(schema_names())}")
    return _generated(name, _kinds()[name])


def _generated(name: str, kind: type[Result]) -> Schema:
    """Return the schema of a type, with what it refers to in ``$defs``."""
    (root,), parts = msgspec.json.schema_components([kind], ref_template="#/$defs/{name}")
    parts = {part: _tidy(value) for part, value in parts.items()}
    for part in parts.values():
        if "schema" in (fields := part.get("properties", {})):
            (tag,) = fields["schema"]["enum"]
            fields["schema"] = {"const": tag, "description": _SCHEMA}
    own = parts.pop(root["$ref"].rpartition("/")[2])
    version = str(kind.__struct_config__.tag).rpartition("/")[2]
    return {
        "$schema": _DRAFT,
        "$id": f"urn:bayes-scaling:{name.replace('_', '-')}:{version}",
        **own,
        "title": name.replace("_", " ").capitalize(),
        "$defs": parts,
    }


def _tidy(node: Any) -> Any:
    """Return a part of a schema whose descriptions are sentences and stand beside the unit."""
    if isinstance(node, list):
        return [_tidy(item) for item in node]
    if not isinstance(node, dict):
        return node
    found = {name: _tidy(value) for name, value in node.items()}
    text = found.get("description")
    if isinstance(text, str):
        found["description"] = " ".join(text.partition("\n\n")[0].split())
    # What is said of a number that may be null is said of the field.
    for part in found.get("anyOf", ()):
        if isinstance(part, dict) and "$ref" not in part:
            for name in ("description", "x-unit"):
                if name in part:
                    found.setdefault(name, part.pop(name))
    return found
