"""Whether the content of a file is what its schema says, and what a schema cannot say."""

from collections.abc import Mapping
from functools import cache
from typing import TYPE_CHECKING, Any

from bayes_scaling.core.json_files import disordered
from bayes_scaling.schemas import schema

if TYPE_CHECKING:
    from jsonschema import Draft202012Validator

__all__ = ["what_is_wrong"]

_LONGEST = 160


def what_is_wrong(content: Mapping[str, Any], name: str) -> str | None:
    """Where a file breaks its schema, in words; None where it does not.

    Parameters
    ----------
    content : mapping
        Of the file.
    name : str
        Of the schema, such as "plan".
    """
    from jsonschema.exceptions import best_match

    errors = list(_validator(name).iter_errors(content))
    # A field that is wrong leaves its neighbours unevaluated, which says nothing of them.
    causes = [error for error in errors if error.validator != "unevaluatedProperties"]
    error = best_match(causes or errors)
    if error is None:
        return next(disordered(content), None)
    message = error.message
    said = message if len(message) <= _LONGEST else f"{message[: _LONGEST - 1]}…"
    return said if error.json_path == "$" else f"at {error.json_path.removeprefix('$.')}, {said}"


@cache
def _validator(name: str) -> "Draft202012Validator":
    from jsonschema import Draft202012Validator

    return Draft202012Validator(schema(name))
