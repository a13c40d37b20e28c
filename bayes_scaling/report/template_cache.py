"""Compiled templates, kept in a folder of the user: compiling takes longer than filling them."""

import pickle
from contextlib import suppress

from jinja2 import FileSystemBytecodeCache
from jinja2.bccache import Bucket

from bayes_scaling.explorer.scripts import cache_folder

__all__ = ["TemplateCache"]


class TemplateCache(FileSystemBytecodeCache):
    """Jinja's cache of templates; a folder that cannot be used costs time only.

    Parameters
    ----------
    version : str
        Of what compiles and fills the templates: another one compiles them again.
    """

    def __init__(self, version: str) -> None:
        super().__init__(str(cache_folder()), f"template-{version}-%s")

    def load_bytecode(self, bucket: Bucket) -> None:
        """Read a compiled template, where there is one of this source."""
        with suppress(OSError, EOFError, pickle.UnpicklingError):
            super().load_bytecode(bucket)

    def dump_bytecode(self, bucket: Bucket) -> None:
        """Keep a compiled template."""
        with suppress(OSError):
            cache_folder().mkdir(parents=True, exist_ok=True)
            super().dump_bytecode(bucket)
