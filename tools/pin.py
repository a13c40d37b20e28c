# /// script
# requires-python = ">=3.12"
# dependencies = ["tomlkit>=0.13"]
# ///
"""Write the exact versions of all dependencies into pyproject.toml.

    uv run tools/pin.py            resolve anew and pin
    uv run tools/pin.py --keep     pin what the present constraints resolve to

The lock file itself names the hosts it was made from, so it is not kept.
"""

import subprocess
import sys
from pathlib import Path

import tomlkit

PYPROJECT = Path(__file__).resolve().parent.parent / "pyproject.toml"


def resolved() -> list[str]:
    """One requirement a line, with markers where versions differ between platforms."""
    command = ["uv", "export", "--quiet", "--all-groups", "--no-hashes", "--no-header"]
    command += ["--no-annotate", "--no-emit-project"]
    done = subprocess.run(command, cwd=PYPROJECT.parent, capture_output=True, text=True, check=True)
    return sorted({line.strip() for line in done.stdout.splitlines() if "==" in line})


def main() -> None:
    """Resolve and rewrite the list of constraints."""
    document = tomlkit.parse(PYPROJECT.read_text(encoding="utf-8"))
    uv = document["tool"].setdefault("uv", tomlkit.table())
    if "--keep" not in sys.argv[1:]:
        uv.pop("constraint-dependencies", None)
        PYPROJECT.write_text(tomlkit.dumps(document), encoding="utf-8")
        subprocess.run(["uv", "lock", "--quiet", "--upgrade"], cwd=PYPROJECT.parent, check=True)
    pins = tomlkit.array()
    pins.extend(resolved())
    uv["constraint-dependencies"] = pins.multiline(multiline=True)
    PYPROJECT.write_text(tomlkit.dumps(document), encoding="utf-8")
    print(f"{len(pins)} versions pinned in {PYPROJECT.name}")


if __name__ == "__main__":
    main()
