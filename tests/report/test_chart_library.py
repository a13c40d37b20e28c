"""The chart library of a page: bundled once on a machine, and whole."""

from pathlib import Path

import pytest
import vl_convert

from bayes_scaling.explorer import scripts


def test_a_bundle_is_kept_and_a_damaged_one_made_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = []
    monkeypatch.setattr(scripts, "cache_folder", lambda: tmp_path / "pages")
    monkeypatch.setattr(vl_convert, "javascript_bundle", lambda: made.append(1) or "let a=1;\nb")

    def page() -> str:
        scripts._library.cache_clear()
        return scripts.scripts_for([{"curve": "()=>1"}]).texts[0]

    assert page() == page() == "let a=1;\nb"
    assert len(made) == 1
    (kept,) = (tmp_path / "pages").iterdir()
    kept.write_bytes(kept.read_bytes()[:-1])
    assert page() == "let a=1;\nb"
    assert len(made) == 2
    # Where there is no folder to write to it is made each time.
    monkeypatch.setattr(scripts, "cache_folder", lambda: kept / "below-a-file")
    assert page() == "let a=1;\nb"
    assert len(made) == 3
    scripts._library.cache_clear()
