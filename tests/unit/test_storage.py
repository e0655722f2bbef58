from pathlib import Path

import pandas as pd
import pytest

from brainuad.errors import InputError
from brainuad.storage import atomic_path, read_json, read_table, write_json, write_table


def test_a_failed_write_leaves_the_old_file_and_nothing_else(tmp_path: Path) -> None:
    target = tmp_path / "table.nii.gz"
    target.write_text("old")
    with pytest.raises(RuntimeError), atomic_path(target) as temporary:  # noqa: PT012
        assert temporary.name.endswith(".nii.gz")
        temporary.write_text("half")
        raise RuntimeError
    assert target.read_text() == "old"
    assert list(tmp_path.iterdir()) == [target]


def test_a_table_comes_back_as_text(tmp_path: Path) -> None:
    write_table(pd.DataFrame({"subject": ["007", ""], "age": [1.5, None]}), tmp_path / "t.tsv")
    found = read_table(tmp_path / "t.tsv")
    assert found["subject"].tolist() == ["007", ""]
    assert found["age"].tolist() == ["1.5", ""]


def test_an_unreadable_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "broken.json").write_text("{")
    with pytest.raises(InputError, match=r"broken\.json"):
        read_json(tmp_path / "broken.json")
    with pytest.raises(InputError, match=r"absent\.tsv"):
        read_table(tmp_path / "absent.tsv")
    (tmp_path / "a.tsv").write_text("x\ty\n")
    with pytest.raises(InputError, match=r"a\.tsv: the columns z are missing"):
        read_table(tmp_path / "a.tsv", needs=("x", "z"))


def test_json_refuses_numbers_that_are_not_finite(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="JSON"):
        write_json({"value": float("nan")}, tmp_path / "x.json")
    assert list(tmp_path.iterdir()) == []


def test_who_writes_alone_removes_what_killed_processes_left(tmp_path: Path) -> None:
    (tmp_path / ".0123456789ab.last.ckpt").write_text("half")
    others = [".0123456789ab.best.ckpt", ".notes.last.ckpt"]
    for name in others:
        (tmp_path / name).write_text("")
    with atomic_path(tmp_path / "last.ckpt", alone=True) as temporary:
        temporary.write_text("whole")
    assert sorted(path.name for path in tmp_path.iterdir()) == [*others, "last.ckpt"]


def test_two_who_write_one_file_at_a_time_do_not_meet(tmp_path: Path) -> None:
    target = tmp_path / "shared.json"
    with atomic_path(target) as one:
        one.write_text("{}")
        with atomic_path(target) as other:
            other.write_text("[]")
        assert read_json(target) == []
    assert read_json(target) == {}
