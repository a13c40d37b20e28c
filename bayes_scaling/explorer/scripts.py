"""What a report runs in the browser: a chart library, the law, and our own few hundred lines."""

import base64
import hashlib
import json
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from importlib import resources
from importlib.metadata import version
from pathlib import Path
from typing import Any

from bayes_scaling.core.files import write_bytes
from bayes_scaling.errors import FileError

__all__ = ["Scripts", "cache_folder", "data_block", "scripts_for"]

_OURS = ("solver.js", "explorer.js")


@dataclass(frozen=True)
class Scripts:
    """Scripts of a page, in their order, and the policy that lets the browser run these alone.

    Attributes
    ----------
    texts : tuple of str
        Content of the script elements.
    policy : str
        Of the page (Content-Security-Policy): nothing is loaded from elsewhere, no text is
        evaluated as code.
    """

    texts: tuple[str, ...]
    policy: str


def scripts_for(functions: Sequence[Mapping[str, str]]) -> Scripts:
    """Return the scripts of a page with or without plans to compute again.

    Parameters
    ----------
    functions : sequence of mapping
        JavaScript of the functions of each problem, by name; none without plans.
    """
    ours = "\n".join(map(_template, _OURS))
    traced = ",\n".join(
        "{" + ",\n".join(f"{name}: {text}" for name, text in each.items()) + "}"
        for each in functions
    )
    own = f"const TRACED = [{traced}];\n{ours}"
    texts = tuple(map(_inside_html, (_library(), own) if functions else (own,)))
    hashes = " ".join(f"'sha256-{_digest(text)}'" for text in texts)
    policy = (
        "default-src 'none'; img-src data:; style-src 'unsafe-inline'; "
        f"script-src {hashes}; base-uri 'none'; form-action 'none'"
    )
    return Scripts(texts, policy)


def data_block(content: Any) -> str:
    """Return JSON that can stand in an HTML script element whatever its texts are."""
    text = json.dumps(content, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    # Within strings only can these stand in JSON, and there an escape means the same.
    for character in "<>&\u2028\u2029":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return text


def cache_folder() -> Path:
    """Folder of this user in which the library is kept: to bundle it takes a second or two."""
    from platformdirs import user_cache_path

    return user_cache_path("bayes_scaling") / "pages"


@cache
def _library() -> str:
    """Vega, Vega-Lite and Vega-Embed, out of the installed package."""
    path = cache_folder() / f"vega-{version('vl-convert-python')}.js"
    with suppress(OSError, UnicodeDecodeError):
        digest, _, kept = path.read_bytes().decode("utf-8").partition("\n")
        if digest == _digest(kept):
            return kept
    import vl_convert

    # Its stub has forgotten the default.
    made = str(vl_convert.javascript_bundle())  # type: ignore[call-arg]
    # A folder that cannot be written to costs time only.
    with suppress(OSError, FileError):
        path.parent.mkdir(parents=True, exist_ok=True)
        write_bytes(path, f"{_digest(made)}\n{made}".encode())
    return made


def _template(name: str) -> str:
    return resources.files("bayes_scaling.explorer").joinpath("templates", name).read_text("utf-8")


def _inside_html(script: str) -> str:
    # Both would end or change a script in HTML; in strings and patterns they mean the same.
    return script.replace("</script", r"<\/script").replace("<!--", r"<\!--")


def _digest(text: str) -> str:
    return base64.b64encode(hashlib.sha256(text.encode("utf-8")).digest()).decode("ascii")
