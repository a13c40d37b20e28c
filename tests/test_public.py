"""What is public, and that it is there."""

import ast
import importlib
import inspect
import pkgutil
import re
from collections import Counter
from pathlib import Path

import pytest

import bayes_scaling
from bayes_scaling import errors

ROOT = Path(bayes_scaling.__file__).parent
MODULES = sorted(
    module.name for module in pkgutil.walk_packages(bayes_scaling.__path__, "bayes_scaling.")
)

EXTRAS = {
    "bayes_scaling.curves.callbacks.huggingface": "transformers",
    "bayes_scaling.curves.callbacks.lightning": "lightning",
}
"""Modules of extras that are too large for every machine, and what they need."""


def _stub():
    """Names that the stub imports, and its ``__all__``."""
    tree = ast.parse((ROOT / "__init__.pyi").read_text(encoding="utf-8"))
    imported, listed = {}, []
    for node in tree.body:
        if isinstance(node, ast.ImportFrom):
            assert node.level == 1
            for alias in node.names:
                imported[alias.name] = f"bayes_scaling.{node.module or alias.name}"
        elif isinstance(node, ast.Assign):
            listed = ast.literal_eval(node.value)
    return imported, listed


def test_the_face_is_that_of_the_stub():
    imported, listed = _stub()
    assert listed == sorted(imported)
    assert sorted(bayes_scaling.__all__) == listed
    assert set(listed) <= set(dir(bayes_scaling))


@pytest.mark.parametrize("name", sorted(_stub()[0]))
def test_public_names_resolve(name):
    module = importlib.import_module(_stub()[0][name])
    found = getattr(bayes_scaling, name)
    assert found is (module if module.__name__ == f"bayes_scaling.{name}" else vars(module)[name])
    assert inspect.getdoc(found)


def test_unknown_names_are_refused():
    with pytest.raises(AttributeError, match="forcast"):
        bayes_scaling.forcast  # noqa: B018


def _order(name):
    """Constants, classes, functions: the order that the linter keeps."""
    return not name.isupper(), not name[0].isupper(), name


@pytest.mark.parametrize("name", MODULES)
def test_modules_state_what_is_public(name):
    if name in EXTRAS:
        pytest.importorskip(EXTRAS[name], reason=f"{EXTRAS[name]} is not installed")
    module = importlib.import_module(name)
    assert module.__doc__, "a module says what it is for"
    if len(ast.parse(Path(str(module.__file__)).read_text(encoding="utf-8")).body) == 1:
        return  # a folder that has a docstring, and names of its modules only
    # The linter orders the stub of a package whose names are imported when first used.
    if not Path(str(module.__file__)).with_suffix(".pyi").exists():
        assert list(module.__all__) == sorted(module.__all__, key=_order)
    assert len(set(module.__all__)) == len(module.__all__)
    for public in module.__all__:
        assert hasattr(module, public), public
        assert not public.startswith("_") or public == "__version__", public


def test_every_folder_is_a_package():
    missing = {str(path.parent.relative_to(ROOT)) for path in ROOT.rglob("*.py")} - {
        str(path.parent.relative_to(ROOT)) for path in ROOT.rglob("__init__.py")
    }
    assert not missing


def test_no_two_modules_share_a_file_name():
    paths = [path for path in ROOT.rglob("*.py") if path.name != "__init__.py"]
    twice = {name for name, n in Counter(path.name for path in paths).items() if n > 1}
    assert not twice, sorted(str(path.relative_to(ROOT)) for path in paths if path.name in twice)


def test_the_architecture_names_files_that_exist():
    text = (ROOT.parent / "ARCHITECTURE.md").read_text(encoding="utf-8")
    named = set(re.findall(r"`([\w/]+(?:\.(?:py|js|json)|/))`", text))
    there = {f"/{p.relative_to(ROOT.parent)}" for p in ROOT.parent.glob("[!.]*/**/*")}
    there |= {f"/{p.name}" for p in ROOT.parent.iterdir()}
    assert named
    lost = [n for n in named if not any(p.endswith(f"/{n.rstrip('/')}") for p in there)]
    assert not lost, lost


def test_private_names_stay_in_their_package():
    """No module with an underscore is imported from another package, and no private name is."""
    found = []
    for path in ROOT.rglob("*.py"):
        package = ".".join(("bayes_scaling", *path.parent.relative_to(ROOT).parts))
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not (isinstance(node, ast.ImportFrom) and node.module):
                continue
            parts = node.module.split(".")
            private = any(part.startswith("_") for part in parts)
            names = [a.name for a in node.names if re.match("_[a-z]", a.name)]
            if parts[0] == "bayes_scaling" and (
                (private and node.module.rpartition(".")[0] != package) or names
            ):
                found.append(f"{path.relative_to(ROOT)}: {node.module} {names}")
    assert not found, found


def _error_classes():
    return {name for name, value in vars(errors).items() if inspect.isclass(value)}


def test_the_tree_of_errors_is_drawn_as_it_is():
    drawn = re.findall(r"─+ (\w+Error)\b", errors.__doc__)
    assert set(drawn) == _error_classes() == set(errors.__all__)
    for name in errors.__all__:
        assert issubclass(getattr(errors, name), errors.BayesScalingError)


def test_only_documented_errors_are_raised():
    """Every error class of ours that some module raises or imports is in the tree."""
    used = set()
    for path in ROOT.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom) and node.module == "bayes_scaling.errors":
                used |= {alias.name for alias in node.names}
            if isinstance(node, ast.ClassDef) and path.name != "errors.py":
                bases = {ast.unparse(base) for base in node.bases}
                assert not any(base.endswith(("Error", "Exception")) for base in bases), node.name
    assert used == _error_classes()
