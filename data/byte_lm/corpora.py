"""The training texts, rebuilt byte for byte from a CPython installation's own files.

No text is stored here. A corpus is a list of documents in a fixed order; the first few become the
validation text and the rest the training text, so that the two share no document. To add a corpus,
write one function that yields documents and register it with `family`.
"""

from __future__ import annotations

import ast
import hashlib
import platform
import sysconfig
import warnings
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

PYTHON_VERSION = "3.13.0"
SEPARATOR = b"\x00"  # between documents; no source file or docstring holds it

# The installation's own build settings and third-party packages differ between machines.
NOT_SHIPPED = ("site-packages", "config-", "_sysconfigdata", "lib-dynload", "__pycache__")
# Tables, fixtures and a second copy of the documentation would swamp ordinary source code.
NOT_SOURCE = ("test", "idlelib", "encodings", "pydoc_data")

type Document = tuple[str, bytes]
type Builder = Callable[[Path], Iterable[Document]]


@dataclass(frozen=True)
class Family:
    """One registered corpus: how it is built, its validation text's least size, its checksum."""

    name: str
    build: Builder
    val_bytes: int
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


def family(name: str, *, val_bytes: int, sha256: str) -> Callable[[Builder], Builder]:
    """Register a function that yields a corpus' documents from the standard library's folder."""

    def register(build: Builder) -> Builder:
        FAMILIES[name] = Family(name, build, val_bytes, sha256)
        return build

    return register


def source_files(root: Path, skip: tuple[str, ...] = ()) -> Iterator[Document]:
    """Yield the Python sources under a folder, by sorted path, with Unix line ends.

    Parameters
    ----------
    root
        Folder to walk.
    skip
        Top-level names left out, besides those that differ between installations.

    Yields
    ------
    tuple of str and bytes
        Path relative to `root`, with forward slashes, and content.
    """
    for path in sorted(root.rglob("*.py"), key=lambda p: p.relative_to(root).as_posix()):
        parts = path.relative_to(root).parts
        if any(part.startswith(NOT_SHIPPED) for part in parts) or parts[0] in skip:
            continue
        yield "/".join(parts), path.read_bytes().replace(b"\r\n", b"\n")


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


@family(
    "python",
    val_bytes=512 * 1024,
    sha256="232970b20469a1067be177731c24299a0d498447610d3727256c13bd1d80910f",
)
def python_sources(stdlib: Path) -> Iterator[Document]:
    """Yield the standard library's source files."""
    yield from source_files(stdlib, skip=NOT_SOURCE)


@family(
    "prose",
    val_bytes=256 * 1024,
    sha256="e2c958d885de5e275beaa9fb3028bbad3d2b0dbdd9b4deb2f2c48183cb065d9d",
)
def prose(stdlib: Path) -> Iterator[Document]:
    """Yield the standard library's docstrings by module, then the help topics.

    A docstring is kept where it first appears, so that no copy of it reaches both texts.
    """
    seen: set[str] = set()
    for name, source in source_files(stdlib):
        fresh = []
        for text in docstrings(source):
            if text not in seen:
                seen.add(text)
                fresh.append(text)
        yield name, "".join(text + "\n\n" for text in fresh).encode("utf-8", "replace")
    yield from help_topics(stdlib / "pydoc_data" / "topics.py")


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
    corpus = assemble(name, spec.build(stdlib), spec.val_bytes)
    if verify and corpus.sha256 != spec.sha256:
        raise RuntimeError(
            f"the {name} corpus has checksum {corpus.sha256}, not {spec.sha256}: run with an "
            f"unpatched CPython {PYTHON_VERSION} built from source, its test package included, "
            f"as pyenv installs it (this is CPython {platform.python_version()})."
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
