"""Reads configurations that are wrong."""

from pathlib import Path
from typing import Any

import pytest

from brainuad.config_errors import ConfigError
from brainuad.plan_reader import read_plan

WORKFLOW = Path(__file__).parents[2] / "workflow"


def errors_of(config: dict[str, Any], folder: Path = WORKFLOW) -> list[str]:
    """The lines of the error that a configuration is, with the recipes and studies of `folder`."""
    with pytest.raises(ConfigError) as caught:
        read_plan(config, folder)
    return caught.value.lines
