"""Write docs/files.md, the fields of every JSON file, from the schemas that the package ships.

uv run python tools/schema_docs.py
"""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from bayes_scaling.schemas import schema, schema_names

PAGE = Path(__file__).resolve().parent.parent / "docs" / "files.md"
_HEAD = """\
# Files: what stands in every field

Written by `uv run python tools/schema_docs.py` from the JSON Schemas (draft 2020-12), which follow
from the types of results; a test sees that it is up to date. `bayes-scaling schema` lists the
schemas, `bayes-scaling schema plan` prints one, `bayes_scaling.schema("plan")` returns it, whole by
itself:

```python
import json
import bayes_scaling as bs
from jsonschema import Draft202012Validator

plan = json.load(open("plan.json"))
Draft202012Validator(bs.schema("plan")).validate(plan)
```

Every file says what it is in `schema`, with the version of its form; files of earlier versions are
read too. Numbers are finite and at most 1e100 in magnitude, quantiles of one quantity and the ends
of a range increase, no object holds a key twice; what is missing or not known is null. A file that
breaks any of this is refused in reading. A field that is not listed here is an error, except for a
user's own columns in a forecast. Units of losses stand in the file's `loss_unit`. Fits are NetCDF,
which plain ArviZ reads ([what is checked when they are read](exports.md#fits-from-others)).
"""

type Node = dict[str, Any]


def page() -> str:
    """Return the whole page."""
    documents = {name: schema(name) for name in schema_names()}
    uses = Counter(part for whole in documents.values() for part in whole.get("$defs", {}))
    parts: Node = {}
    for whole in documents.values():
        parts |= whole.get("$defs", {})
    # What one file alone has is told where it stands, unless it has itself as a part.
    shared = {part for part, files in uses.items() if files > 1 and "properties" in parts[part]}
    blocks = [_HEAD]
    blocks += [_section("##", whole["title"], whole, parts, shared) for whole in documents.values()]
    blocks.append("## Shared pieces\n\nParts of several files; types above link here.\n")
    blocks += [_section("###", name, parts[name], parts, shared) for name in sorted(shared)]
    return "\n".join(blocks)


def _section(level: str, title: str, node: Node, parts: Node, shared: set[str]) -> str:
    rows = [
        f"| `{path}` | {kind} | {unit} | {text} |"
        for path, kind, unit, text in _rows(node, parts, shared)
    ]
    head = ["| field | type | unit | meaning |", "| --- | --- | --- | --- |"]
    table = "\n".join([*head, *rows])
    return f"{level} {title}\n\n{node.get('description', '')}\n\n{table}\n"


def _rows(
    node: Node, parts: Node, shared: set[str], path: str = ""
) -> Iterator[tuple[str, str, str, str]]:
    """Fields of an object, those of parts of it after them."""
    required = {*node.get("required", ()), *node.get("then", {}).get("required", ())}
    for name, value in node.get("properties", {}).items():
        left_out = "" if name in required else " May be left out."
        text = value.get("description") or _meaning(value, parts)
        yield f"{path}{name}", _kind(value, parts, shared), value.get("x-unit", ""), text + left_out
        for inner, part in _inside(value, parts, shared):
            yield from _rows(part, parts, shared, f"{path}{name}{inner}.")
    for pattern, value in node.get("patternProperties", {}).items():
        kind = _kind(value, parts, shared)
        yield f"{path}/{pattern}/", kind, value.get("x-unit", ""), value["description"]


def _inside(
    value: Node, parts: Node, shared: set[str], inner: str = ""
) -> Iterator[tuple[str, Node]]:
    """Objects that a field holds, unless they stand elsewhere on the page, and the way there."""
    if "$ref" in value:
        name = _name(value)
        if name not in shared:
            yield from _inside(parts[name], parts, shared, inner)
    elif "anyOf" in value:
        for part in value["anyOf"]:
            yield from _inside(part, parts, shared, inner)
    elif isinstance(value.get("items"), dict):
        yield from _inside(value["items"], parts, shared, f"{inner}[]")
    elif isinstance(value.get("additionalProperties"), dict):
        yield from _inside(value["additionalProperties"], parts, shared, f"{inner}.*")
    elif "properties" in value:
        yield inner, value


def _name(value: Node) -> str:
    return str(value["$ref"]).rpartition("/")[2]


def _meaning(value: Node, parts: Node) -> str:
    return str(parts[_name(value)].get("description", "")) if "$ref" in value else ""


def _kind(value: Node, parts: Node, shared: set[str]) -> str:
    """The type of a value in a few words."""
    if "const" in value:
        return f"`{value['const']}`"
    if "enum" in value:
        return " or ".join(f"`{one}`" for one in value["enum"])
    if "anyOf" in value:
        return " or ".join(dict.fromkeys(_kind(part, parts, shared) for part in value["anyOf"]))
    if "$ref" in value:
        name = _name(value)
        if name in shared:
            return f"[{name}](#{name.lower()})"
        return "object" if "properties" in parts[name] else _kind(parts[name], parts, shared)
    items = value.get("items") or next(iter(value.get("prefixItems", ())), None)
    kinds = value["type"] if isinstance(value.get("type"), list) else [value.get("type", "object")]
    if items:
        kinds = [f"list of {_kind(items, parts, shared)}" if k == "array" else k for k in kinds]
    return " or ".join(kinds)


def main() -> None:
    """Write the page."""
    PAGE.write_text(page(), encoding="utf-8")
    print(f"{PAGE.name} written")


if __name__ == "__main__":
    main()
