"""Write docs/files.md, the fields of every JSON file, from the schemas that the package ships.

uv run python tools/schema_docs.py
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from bayes_scaling.schemas import schema, schema_names

PAGE = Path(__file__).resolve().parent.parent / "docs" / "files.md"
_SHARED = "urn:bayes-scaling:common:1"
_HEAD = """\
# Files: what stands in every field

Written by `uv run python tools/schema_docs.py` from the JSON Schemas (draft 2020-12) in
`bayes_scaling/schemas`; a test sees that it is up to date. `bayes-scaling schema` lists the
schemas, `bayes-scaling schema plan` prints one, `bayes_scaling.schema("plan")` returns it, whole by
itself:

```python
import json
import bayes_scaling as bs
from jsonschema import Draft202012Validator

plan = json.load(open("plan.json"))
Draft202012Validator(bs.schema("plan")).validate(plan)
```

Every file says what it is in `schema`, with the version of its form. Numbers are finite and at most
1e100 in magnitude, quantiles of one quantity and the ends of a range grow, no object holds a key
twice; what is missing or not known is null. A file that breaks any of this is refused in reading. A
field that is not listed here is an error, except for a user's own columns in a forecast. Units of
losses stand in the file's `loss_unit`. A report of a plan that an older version wrote may lack
fields of the plan. Fits are NetCDF, which plain ArviZ reads
([what is checked when they are read](exports.md#fits-from-others)).
"""


def page() -> str:
    """The whole page."""
    documents = {name: schema(name) for name in schema_names()}
    shared = next(d["$defs"][_SHARED] for d in documents.values() if _SHARED in d["$defs"])
    parts = [_HEAD]
    parts += [_section(document, shared) for document in documents.values()]
    parts.append("## Shared pieces\n\nParts of several files; types above link here.\n")
    for name, piece in shared["$defs"].items():
        if _is_small(piece):
            continue
        rows = list(_rows(piece, shared, shared))
        parts.append(f"### {name}\n\n{piece['description']}\n")
        parts += [_table(rows)] if rows else []
    return "\n".join(parts)


def _section(document: dict[str, Any], shared: dict[str, Any]) -> str:
    table = _table(list(_rows(document, document, shared)))
    return f"## {document['title']}\n\n{document['description']}\n\n{table}"


def _table(rows: list[tuple[str, str, str, str]]) -> str:
    lines = ["| field | type | unit | meaning |", "| --- | --- | --- | --- |"]
    lines += [f"| `{path}` | {kind} | {unit} | {text} |" for path, kind, unit, text in rows]
    return "\n".join(lines) + "\n"


def _rows(
    node: dict[str, Any], document: dict[str, Any], shared: dict[str, Any], path: str = ""
) -> Iterator[tuple[str, str, str, str]]:
    """Fields of an object, those of parts of it after them."""
    for base in node.get("allOf", ()):
        yield from _rows(_resolved(base["$ref"], document, shared), document, shared, path)
    required = _required(node)
    for name, given in node.get("properties", {}).items():
        value, field = _spelt_out(given, document, shared), f"{path}{name}"
        left_out = "" if name in required else " May be left out."
        text = value.get("description") or _meaning(value, document, shared)
        unit = value.get("x-unit", "")
        yield field, _kind(value), unit, f"{text}{left_out}"
        yield from _inside(value, document, shared, field)
    for pattern, value in node.get("patternProperties", {}).items():
        yield f"{path}/{pattern}/", _kind(value), value.get("x-unit", ""), value["description"]


def _is_small(piece: dict[str, Any]) -> bool:
    """Whether a shared piece is a single value, which is told where it stands."""
    return "enum" in piece or piece.get("type", "object") not in ("object", ["object", "null"])


def _spelt_out(
    value: dict[str, Any], document: dict[str, Any], shared: dict[str, Any]
) -> dict[str, Any]:
    target = value.get("$ref", "")
    if not target.startswith(_SHARED):
        return value
    piece = _resolved(target, document, shared)
    if not _is_small(piece):
        return value
    return piece | {name: part for name, part in value.items() if name != "$ref"}


def _required(node: dict[str, Any]) -> set[str]:
    # Fields that one kind of a file has and another lacks stand under "then".
    return {*node.get("required", ()), *node.get("then", {}).get("required", ())}


def _meaning(value: dict[str, Any], document: dict[str, Any], shared: dict[str, Any]) -> str:
    target = value.get("$ref")
    return str(_resolved(target, document, shared).get("description", "")) if target else ""


def _inside(
    value: dict[str, Any], document: dict[str, Any], shared: dict[str, Any], path: str
) -> Iterator[tuple[str, str, str, str]]:
    """Fields of what a field holds, unless they stand elsewhere on the page."""
    for part in value.get("anyOf", [value]):
        items, inner = part.get("items"), f"{path}."
        node = part
        if isinstance(items, dict):
            node, inner = items, f"{path}[]."
        if node.get("$ref", "").startswith("#"):
            node = _resolved(node["$ref"], document, shared)
        if "$ref" not in node and not _elsewhere(node):
            yield from _rows(node, document, shared, inner)


def _elsewhere(node: dict[str, Any]) -> bool:
    """Whether an object is another file's, with a few fields more."""
    return any(_file(base["$ref"]) for base in node.get("allOf", ()))


def _file(reference: str) -> str:
    """The other file that a reference is to, or nothing."""
    name = reference.removeprefix("urn:bayes-scaling:").partition(":")[0]
    return "" if reference.startswith(("#", _SHARED)) else name


def _resolved(reference: str, document: dict[str, Any], shared: dict[str, Any]) -> dict[str, Any]:
    where, _, pointer = reference.partition("#")
    found: Any = shared if where == _SHARED else document["$defs"][where] if where else document
    for step in filter(None, pointer.split("/")):
        found = found[step]
    result: dict[str, Any] = found
    return result


def _kind(value: dict[str, Any]) -> str:
    """The type of a value in a few words."""
    if "const" in value:
        return f"`{value['const']}`"
    if "enum" in value:
        return " or ".join(f"`{one}`" for one in value["enum"])
    if "anyOf" in value:
        kinds = ["null" if p == {"type": "null"} else _kind(p) for p in value["anyOf"]]
        return " or ".join(dict.fromkeys(kinds))
    if "$ref" in value:
        return _linked(value["$ref"])
    kinds = value["type"] if isinstance(value.get("type"), list) else [value.get("type", "object")]
    if "items" in value:
        kinds = [f"list of {_kind(value['items'])}" if k == "array" else k for k in kinds]
    return " or ".join(kinds)


def _linked(reference: str) -> str:
    if reference.startswith(_SHARED):
        name = reference.rpartition("/")[2]
        return f"[{name}](#{name})"
    if reference.startswith("#"):
        return "object"
    title = _file(reference)
    return f"[{title}](#{title})"


def main() -> None:
    """Write the page."""
    PAGE.write_text(page(), encoding="utf-8")
    print(f"{PAGE.name} written")


if __name__ == "__main__":
    main()
