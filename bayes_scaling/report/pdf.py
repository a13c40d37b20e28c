"""A report as PDF, printed by the browser of the system."""

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

from bayes_scaling.core.files import write_bytes
from bayes_scaling.errors import FileError

__all__ = ["write_pdf"]

_BROWSERS = ("chromium", "chromium-browser", "google-chrome", "chrome", "msedge")
_SECONDS = 120
_SETTLING = 10_000
"""Milliseconds of the page's own time in which its charts are drawn."""


def write_pdf(path: str | os.PathLike[str], report: str | os.PathLike[str]) -> Path:
    """Print a report, whole or not at all.

    Parameters
    ----------
    path : path-like
        Where the PDF goes.
    report : path-like
        A report as HTML, from :func:`bayes_scaling.write_report`.

    Returns
    -------
    pathlib.Path
        The file written.

    Raises
    ------
    FileError
        If there is no Chromium or Chrome, it fails, or the file cannot be written.

    Examples
    --------
    >>> page = bs.write_report("report.html", bs.load_fit("fit.nc"))  # doctest: +SKIP
    >>> bs.report.write_pdf("report.pdf", page)  # doctest: +SKIP
    """
    browser = next((found for found in map(shutil.which, _BROWSERS) if found), None)
    if browser is None:
        raise FileError(
            f"cannot write {path}: printing needs Chromium or Chrome, and none of "
            f"{', '.join(_BROWSERS)} is on the path; open the HTML report and print it instead"
        )
    with tempfile.TemporaryDirectory() as folder:
        made = Path(folder) / "report.pdf"
        command = [
            browser,
            "--headless",
            "--disable-gpu",
            "--disable-background-networking",
            "--no-first-run",
            "--no-pdf-header-footer",
            f"--user-data-dir={folder}/profile",
            f"--virtual-time-budget={_SETTLING}",
            f"--print-to-pdf={made}",
            Path(report).resolve().as_uri(),
        ]
        # Root, as in most containers, is refused a sandbox; the page runs no code but ours.
        if hasattr(os, "geteuid") and os.geteuid() == 0:
            command.insert(1, "--no-sandbox")
        try:
            done = subprocess.run(command, capture_output=True, timeout=_SECONDS, check=False)  # noqa: S603
        except (OSError, subprocess.TimeoutExpired) as error:
            raise FileError(f"cannot write {path}: {browser} failed: {error}") from error
        if not made.is_file():
            lines = done.stderr.decode("utf-8", "replace").strip().splitlines()
            raise FileError(f"cannot write {path}: {browser} printed nothing: {lines[-1:]}")
        return write_bytes(path, made.read_bytes())
