"""Settings of synthetic anomalies: the published numbers, what cannot be, and a page that lists them all."""

from pathlib import Path
from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError

from brainuad.synthetic.settings import CopyPaste, Ellipses, Spheres, SyntheticSettings

PAGE = Path(__file__).parents[3] / "docs/synthetic-anomalies.md"
KINDS = {"ellipses": Ellipses, "copy-paste": CopyPaste, "spheres": Spheres}


def settings(**content: Any) -> Any:
    return TypeAdapter(SyntheticSettings).validate_python({"of": "ixi", **content})


@pytest.mark.parametrize("kind", KINDS)
def test_the_kind_chooses_the_class(kind: str) -> None:
    assert type(settings(kind=kind)) is KINDS[kind]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ({"kind": "ellipses", "bands": [[70, 30]]}, "70 lies above 30"),
        ({"kind": "ellipses", "semi_axes": [8, -1]}, "standard deviation -1 is negative"),
        ({"kind": "ellipses", "centre": [32, 200]}, "200 lies outside an image of 128 pixels"),
        ({"kind": "copy-paste", "side": [25, 110]}, "ends at pixel 135 of 128"),
        ({"kind": "spheres", "diameter_mm": [50, 5]}, "50 lies above 5"),
        ({"kind": "spheres", "role": "train"}, "Input should be 'test'"),
        ({"kind": "cubes"}, "does not match any of the expected tags"),
    ],
)
def test_what_cannot_be_is_refused_with_its_reason(content: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        settings(**content)


@pytest.mark.parametrize("kind", KINDS)
def test_the_page_lists_every_key_with_its_default(kind: str) -> None:
    def text(value: Any) -> str:
        if isinstance(value, list):
            return f"[{', '.join(map(text, value))}]"
        if isinstance(value, bool):
            return str(value).lower()
        return f"{value:g}" if isinstance(value, float) else str(value)

    page = PAGE.read_text()
    content = settings(kind=kind).model_dump(mode="json")
    wanted = [f"| `{key}` | `{text(value)}` |" for key, value in content.items() if key not in ("of", "kind")]
    assert [row for row in wanted if row not in page] == []
