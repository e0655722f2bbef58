"""The page about the evaluation and its settings."""

from pathlib import Path

import pytest
from pydantic import ValidationError

from brainuad.evaluation.settings import EvaluationSettings

PAGE = Path(__file__).parents[3] / "docs" / "evaluation.md"


@pytest.mark.parametrize("key", sorted(EvaluationSettings.model_fields))
def test_the_page_lists_every_setting(key):
    assert f"| `{key}` |" in PAGE.read_text()


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"attributes": ["age", "age"]}, "named twice"),
        ({"subject_strata": [{"name": "a"}, {"name": "a", "above": 4}]}, "two strata have one name"),
        ({"lesion_strata": [{"name": "a", "above": 9, "up_to": 4}]}, "must lie below up_to"),
        ({"lesion_strata": [{"name": "a", "by": "diameter_mm"}]}, "Extra inputs are not permitted"),
        ({"boxes": True, "box_classes": {"a": ["Mass"], "b": ["mass"]}}, "in the classes 'a' and 'b'"),
        ({"boxes": True, "box_classes": {"a": []}}, "at least one label"),
        ({"box_classes": {"a": ["mass"]}}, "set `boxes: true` too"),
    ],
)
def test_groups_that_would_count_wrongly_are_refused(change, expected):
    with pytest.raises(ValidationError, match=expected):
        EvaluationSettings.model_validate(change)
