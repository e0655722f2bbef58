"""The page about the evaluation and its settings."""

from pathlib import Path

import pytest

from brainuad.evaluation.settings import EvaluationSettings

PAGE = Path(__file__).parents[3] / "docs" / "evaluation.md"


@pytest.mark.parametrize("key", sorted(EvaluationSettings.model_fields))
def test_the_page_lists_every_setting(key):
    assert f"| `{key}` |" in PAGE.read_text()
