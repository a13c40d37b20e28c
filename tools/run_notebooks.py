"""Execute every notebook in notebooks/ and fail at the first error.

uv run python tools/run_notebooks.py           execute, change nothing
uv run python tools/run_notebooks.py --write   execute and keep the outputs
"""

import sys
import time
from pathlib import Path

import nbformat
from nbclient import NotebookClient

FOLDER = Path(__file__).resolve().parent.parent / "notebooks"


def run(path: Path, *, write: bool) -> None:
    """Execute one notebook in its own kernel."""
    began = time.perf_counter()
    notebook = nbformat.read(path, as_version=4)
    client = NotebookClient(notebook, timeout=600, resources={"metadata": {"path": str(FOLDER)}})
    client.execute()
    if write:
        # Times of execution would change the file at every run.
        for cell in notebook.cells:
            cell.metadata.pop("execution", None)
        nbformat.write(notebook, path)
    print(f"{path.name}: ran in {time.perf_counter() - began:.0f} s")


def main() -> None:
    """Execute them all."""
    notebooks = sorted(FOLDER.glob("*.ipynb"))
    if not notebooks:
        sys.exit(f"no notebooks in {FOLDER}")
    for path in notebooks:
        run(path, write="--write" in sys.argv[1:])


if __name__ == "__main__":
    main()
