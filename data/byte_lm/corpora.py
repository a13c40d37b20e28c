"""The training texts, rebuilt byte for byte from a CPython installation and pinned packages.

No text is stored here. A corpus is a list of documents in a fixed order; the first few become the
validation text and the rest the training text, so that the two share no document. The packages
are those that ``train.py`` names as its dependencies. To add a corpus, write one function that
yields documents and register it with `family`.
"""

from __future__ import annotations

import ast
import doctest
import hashlib
import platform
import sysconfig
import warnings
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

PYTHON_VERSION = "3.13.0"
SEPARATOR = b"\x00"  # between documents; removed from their content
VAL_BYTES = 1024 * 1024

# Third-party packages, what is compiled, and what an installation or a build writes of its own.
NOT_SHIPPED = (
    "site-packages", "config-", "_sysconfigdata", "lib-dynload", "__pycache__",
    "__config__.py", "version.py", "_version", "config.h",
)  # fmt: skip
# Tables of characters, an editor, and a second copy of the documentation.
NOT_SOURCE = ("idlelib", "encodings", "pydoc_data")
DOCUMENTED = ("networkx", "numpy", "pandas", "scipy", "sympy")
# Package, and its headers' folder among the installed files.
HEADERS = {
    "cmeel-eigen": "cmeel.prefix/include/eigen3",
    "nanobind": "nanobind/include",
    "pyarrow": "pyarrow/include",
    "pybind11": "pybind11/include",
}

type Document = tuple[str, bytes]
type Builder = Callable[[Path], Iterable[Document]]


@dataclass(frozen=True)
class Family:
    """One registered corpus: how it is built, and its checksum."""

    name: str
    build: Builder
    sha256: str


@dataclass(frozen=True)
class Corpus:
    """A built corpus.

    Attributes
    ----------
    name
        The family it belongs to.
    train, val
        Texts that share no document.
    n_train_docs, n_val_docs
        Numbers of documents in each.
    """

    name: str
    train: bytes
    val: bytes
    n_train_docs: int
    n_val_docs: int

    @property
    def sha256(self) -> str:
        """Checksum over the training and the validation text, split included."""
        digest = hashlib.sha256(hashlib.sha256(self.train).digest())
        digest.update(hashlib.sha256(self.val).digest())
        return digest.hexdigest()


FAMILIES: dict[str, Family] = {}


def family(name: str, *, sha256: str) -> Callable[[Builder], Builder]:
    """Register a function that yields a corpus' documents from the standard library's folder."""

    def register(build: Builder) -> Builder:
        FAMILIES[name] = Family(name, build, sha256)
        return build

    return register


def files(root: Path, pattern: str, skip: tuple[str, ...] = ()) -> Iterator[Document]:
    """Yield the text files under a folder, by sorted path, with Unix line ends.

    Parameters
    ----------
    root
        Folder to walk.
    pattern
        Which files, as `Path.rglob` takes it.
    skip
        Top-level names left out, besides those that differ between installations.

    Yields
    ------
    tuple of str and bytes
        Path relative to `root`, with forward slashes, and content.
    """
    for path in sorted(root.rglob(pattern), key=lambda p: p.relative_to(root).as_posix()):
        parts = path.relative_to(root).parts
        if any(part.startswith(NOT_SHIPPED) for part in parts) or parts[0] in skip:
            continue
        if path.is_file():
            yield "/".join(parts), path.read_bytes().replace(b"\r\n", b"\n")


def installed(package: str, folder: str) -> Path:
    """Return a folder that an installed package brought."""
    return Path(str(metadata.distribution(package).locate_file(folder)))


def docstrings(source: bytes) -> list[str]:
    """Return a source's docstrings, dedented, in order of appearance; none if it does not parse."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # test files hold invalid escapes on purpose
            tree = ast.parse(source)
    except (SyntaxError, ValueError):
        return []
    kinds = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    nodes = [node for node in ast.walk(tree) if isinstance(node, kinds)]
    nodes.sort(key=lambda node: getattr(node, "lineno", 0))
    texts = (ast.get_docstring(node) for node in nodes)
    return [text for text in texts if text]


def unique(documents: Iterable[Document]) -> list[Document]:
    """Drop empty documents and those whose content came before."""
    seen: set[bytes] = set()
    kept = []
    for name, raw in documents:
        content = raw.replace(SEPARATOR, b"")
        if content.strip() and content not in seen:
            seen.add(content)
            kept.append((name, content))
    return kept


def split(documents: Iterable[Document], val_bytes: int) -> tuple[list[Document], list[Document]]:
    """Shuffle documents by a hash of their names and part them into training and validation.

    The hash makes the order depend on the names alone: no generator's implementation matters,
    and a new document does not move the others.
    """
    order = sorted(unique(documents), key=lambda doc: hashlib.sha256(doc[0].encode()).digest())
    size, cut = 0, 0
    while size < val_bytes and cut < len(order):
        size += len(order[cut][1]) + len(SEPARATOR)
        cut += 1
    return order[cut:], order[:cut]


def assemble(name: str, documents: Iterable[Document], val_bytes: int) -> Corpus:
    """Build a corpus from its documents."""
    train, val = split(documents, val_bytes)
    text = [b"".join(content + SEPARATOR for _, content in part) for part in (train, val)]
    return Corpus(name, text[0], text[1], len(train), len(val))


@family("python", sha256="4721eadcf11755df8774bb18ff8112b33b15775bf1cd8effc6e2711d58737fde")
def python_sources(stdlib: Path) -> Iterator[Document]:
    """Yield the standard library's source files, its tests included."""
    yield from files(stdlib, "*.py", skip=NOT_SOURCE)


@family("cpp", sha256="a17736dcd5265bbe40be3193daf83e330b44f244c18b4dd493dccf38fd72186c")
def cpp_headers(stdlib: Path) -> Iterator[Document]:
    """Yield the C++ headers that four packages install."""
    del stdlib
    for package, folder in HEADERS.items():
        for name, text in files(installed(package, folder), "*"):
            yield f"{package}/{name}", text


@family("prose", sha256="3ae7f7a7feeccd56478f1fc37840ed2ac1ee77f57c6aeb9b616127c0c577484a")
def prose(stdlib: Path) -> Iterator[Document]:
    """Yield docstrings by module, without their examples, then the help topics.

    A docstring is kept where it first appears, so that no copy of it reaches both texts.
    """
    roots = {"": stdlib} | {f"{package}/": installed(package, package) for package in DOCUMENTED}
    seen: set[str] = set()
    for prefix, root in roots.items():
        for name, source in files(root, "*.py"):
            texts = [text for text in docstrings(source) if text not in seen]
            seen.update(texts)
            parts = [without_examples(text) + "\n\n" for text in dict.fromkeys(texts)]
            yield prefix + name, "".join(parts).encode("utf-8", "replace")
    yield from help_topics(stdlib / "pydoc_data" / "topics.py")


def without_examples(docstring: str) -> str:
    """Return a docstring less its interactive examples and what they print."""
    try:
        pieces = doctest.DocTestParser().parse(docstring)
    except ValueError:  # an example with inconsistent indentation
        return docstring
    return "".join(piece for piece in pieces if isinstance(piece, str))


def help_topics(path: Path) -> Iterator[Document]:
    """Yield the texts of `help()` from the dictionary in a ``topics.py``, without importing it."""
    for statement in ast.parse(path.read_bytes()).body:
        if isinstance(statement, ast.Assign):
            for topic, text in sorted(ast.literal_eval(statement.value).items()):
                yield f"topic:{topic}", text.encode()


def build(name: str, *, verify: bool = True) -> Corpus:
    """Rebuild a registered corpus from the running interpreter's standard library.

    Raises
    ------
    RuntimeError
        If the text is not the one the published runs were trained on.
    """
    spec = FAMILIES[name]
    stdlib = Path(sysconfig.get_paths()["stdlib"])
    corpus = assemble(name, spec.build(stdlib), VAL_BYTES)
    if verify and corpus.sha256 != spec.sha256:
        raise RuntimeError(
            f"the {name} corpus has checksum {corpus.sha256}, not {spec.sha256}: run train.py "
            f"with uv, which installs the packages it pins, and an unpatched CPython "
            f"{PYTHON_VERSION} built from source, its test package included, as pyenv installs "
            f"it (this is CPython {platform.python_version()})."
        )
    return corpus


def cached(name: str, folder: Path) -> Corpus:
    """Return a corpus from the working folder, building and checking it where it is not there."""
    paths = [folder / f"{name}.{part}.bin" for part in ("train", "val")]
    if all(path.exists() for path in paths):
        train, val = (path.read_bytes() for path in paths)
        corpus = Corpus(name, train, val, train.count(SEPARATOR), val.count(SEPARATOR))
        if corpus.sha256 == FAMILIES[name].sha256:
            return corpus
    corpus = build(name)
    folder.mkdir(parents=True, exist_ok=True)
    for path, text in zip(paths, (corpus.train, corpus.val), strict=True):
        path.write_bytes(text)
    return corpus


def shared_lines(corpus: Corpus, least: int = 40) -> float:
    """Return the share of the validation text's long lines that the training text holds too."""
    train = set(corpus.train.split(b"\n"))
    lines = [line for line in corpus.val.split(b"\n") if len(line) >= least]
    return sum(line in train for line in lines) / len(lines) if lines else 0.0
