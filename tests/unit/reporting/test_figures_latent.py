"""Maps of latent vectors."""

from functools import cache
from pathlib import Path

import numpy as np
import pytest
from matplotlib.collections import PathCollection
from matplotlib.colors import to_hex
from matplotlib.figure import Figure

from brainuad.reporting.figures.draw import draw_figure
from brainuad.reporting.figures.latent import GROUPS
from tests.unit.reporting.figure_results import (
    empty_study,
    figure_settings,
    texts,
    with_scores,
    write_embeddings,
)

METHODS = [{"method": "ra", "label": "RA"}, {"method": "mkd", "label": "MKD"}]


def points(figure: Figure) -> dict[str, np.ndarray]:
    """Coordinates by colour, of all data sets together."""
    found: dict[str, list[np.ndarray]] = {}
    for scatter in figure.axes[0].collections:
        assert isinstance(scatter, PathCollection)
        found.setdefault(to_hex(scatter.get_facecolor()[0]), []).append(np.asarray(scatter.get_offsets()))
    return {colour: np.concatenate(places) for colour, places in found.items()}


@pytest.fixture(scope="module")
def draw(tmp_path_factory):
    study = empty_study(tmp_path_factory.mktemp("latent"))
    write_embeddings(study, "ra")

    @cache
    def drawn(seed: int = 0, repeat: int = 0) -> Figure:
        settings = figure_settings("latent-map", methods=METHODS, seed=seed, width="page")
        return draw_figure(settings, with_scores(study, []))

    return drawn


def test_inputs_and_pseudo_healthy_slices_of_patients_are_shown(draw):
    found = points(draw())
    assert {colour: len(places) for colour, places in found.items()} == {
        colour.lower(): 12 for _, colour in GROUPS.values()
    }


def test_groups_far_apart_stay_apart(draw):
    groups = list(points(draw()).values())
    centres = [places.mean(axis=0) for places in groups]
    for number, places in enumerate(groups):
        distance = np.stack([np.linalg.norm(places - centre, axis=1) for centre in centres])
        assert (distance.argmin(axis=0) == number).mean() > 0.8


def test_the_same_seed_gives_the_same_places(draw):
    first, second, other = points(draw()), points(draw(repeat=1)), points(draw(seed=1))
    for colour, places in first.items():
        np.testing.assert_array_equal(places, second[colour])
    assert any(not np.array_equal(places, other[colour]) for colour, places in first.items())


def test_data_sets_differ_in_marker(draw):
    shown = {len(s.get_offsets()): s.get_paths()[0].vertices.shape for s in draw().axes[0].collections}
    legend = texts(draw())
    assert "IXI" in legend
    assert "BraTS 2021" in legend
    assert shown


def test_a_method_without_embeddings_is_an_empty_panel(draw):
    assert not draw().axes[1].axison
    assert "not run" in texts(draw())


def test_fewer_points_than_neighbours_are_told(tmp_path: Path) -> None:
    study = empty_study(tmp_path)
    write_embeddings(study, "ra", points=4)
    settings = figure_settings("latent-map", methods=METHODS[:1])
    assert "12 slices; 11 neighbours instead of 25" in texts(draw_figure(settings, with_scores(study, [])))


def test_too_few_points_are_not_mapped(tmp_path: Path) -> None:
    study = empty_study(tmp_path)
    write_embeddings(study, "ra", points=1)
    settings = figure_settings("latent-map", methods=METHODS[:1])
    assert "too few slices: 3" in texts(draw_figure(settings, with_scores(study, [])))
