"""Runs commands in forks of one process that has imported everything, so that many are quick.

Reads one JSON object a line, {"words", "cwd", "out", "err"}, and answers with the exit status. Each
command has a process and streams of its own and enters through the installed script's function.
"""

import importlib
import json
import os
import sys
import traceback
from importlib.metadata import entry_points

__all__ = ["serve"]

ROOMS = ("curves", "decisions", "forecast", "inference", "report", "runs")
LIBRARIES = ("arviz", "matplotlib.figure", "pint", "scipy.optimize", "scipy.stats")
"""What commands import where they need it: every fork would import it anew."""


def _enter(main, job):
    os.chdir(job["cwd"])
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    for stream, path in ((1, job["out"]), (2, job["err"])):
        os.dup2(os.open(path, os.O_WRONLY | os.O_CREAT), stream)
    sys.argv = ["bayes-scaling", *job["words"]]
    try:
        code = main()
    except SystemExit as stop:
        code = stop.code
    except BaseException:
        traceback.print_exc()
        code = 1
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code or 0)


def serve():
    """Answer until standard input ends."""
    (script,) = entry_points(group="console_scripts", name="bayes-scaling")
    main = script.load()
    for name in ROOMS:
        room = importlib.import_module(f"bayes_scaling.{name}")
        for public in room.__all__:
            getattr(room, public)
    for name in LIBRARIES:
        importlib.import_module(name)
    for line in sys.stdin:
        child = os.fork()
        if not child:
            _enter(main, json.loads(line))
        code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        sys.stdout.write(f"{code}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    serve()
