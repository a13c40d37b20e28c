"""JSON Schemas (draft 2020-12) of the JSON files that the package writes."""

import json
from functools import cache
from importlib.resources import files
from typing import Any

from bayes_scaling.errors import FileError

__all__ = ["schema", "schema_names"]

_SHARED = "common"


def schema_names() -> tuple[str, ...]:
    """Names of the files that have a schema, such as "plan"."""
    return tuple(name for name in sorted(_documents()) if name != _SHARED)


def schema(name: str) -> dict[str, Any]:
    """The JSON Schema of a file that the package writes.

    It needs no other: schemas that it refers to stand in its ``$defs`` under their own ``$id``
    (a compound document; JSON Schema 2020-12, Section 9.3.1). Units stand in ``x-unit``.

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
    'urn:bayes-scaling:frontier:1'
    """
    if name not in schema_names():
        raise FileError(f"there is no schema {name!r}; there are {', '.join(schema_names())}")
    known = {document["$id"]: document for document in map(json.loads, _documents().values())}
    whole: dict[str, Any] = json.loads(_documents()[name])
    wanted, bundled = _referred(whole), {}
    while wanted:
        one = wanted.pop()
        bundled[one] = known[one]
        wanted |= _referred(known[one]) - set(bundled)
    whole["$defs"] = whole.get("$defs", {}) | bundled
    return whole


def _referred(content: Any) -> set[str]:
    """Identifiers of other schemas that this one refers to."""
    if isinstance(content, list):
        return set().union(*map(_referred, content))
    if not isinstance(content, dict):
        return set()
    found = set().union(*map(_referred, content.values()))
    target = str(content.get("$ref", "#")).partition("#")[0]
    return found | {target} if target else found


@cache
def _documents() -> dict[str, str]:
    """Text of every schema of this folder, by name."""
    folder = files(__name__)
    found = [entry for entry in folder.iterdir() if entry.name.endswith(".json")]
    return {entry.name.removesuffix(".json"): entry.read_text(encoding="utf-8") for entry in found}
