"""Tables of pictures: reconstructions, examples of synthetic anomalies, and their layout."""

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from matplotlib.figure import Figure
from matplotlib.text import Text

from brainuad.arrays import ArrayStore
from brainuad.reporting.figures.draw import draw_figure
from brainuad.reporting.figures.shown import shown_slice
from brainuad.reporting.figures.style import Results
from brainuad.reporting.inputs import StudyEntry
from brainuad.reporting.volumes import as_seen
from tests.unit.reporting.figure_results import figure_settings, texts, with_scores

METHODS = [
    {"method": m, "label": f"Label {m}"} for m in ("threshold", "dae-coarse", "ddpm-simplex", "andi-mf5")
]


def pictures(figure: Figure) -> list[np.ndarray]:
    return [np.asarray(axes.images[0].get_array()) for axes in figure.axes if axes.images]


def drawn(study: StudyEntry, kind: str, **content: object) -> Figure:
    return draw_figure(
        figure_settings(kind, methods=METHODS, **content), Results(study, with_scores(study, []).scores)
    )


def test_reconstructions_have_a_row_per_subject(study: StudyEntry) -> None:
    figure = drawn(study, "reconstructions", dataset="brats21", subjects=2)
    assert len(pictures(figure)) == 2 * (2 + 2)  # input and truth, two methods with pseudo-healthy images
    shown = " ".join(texts(figure).split())
    assert "not run: Label andi-mf5" in shown
    assert "without pseudo-healthy images: Label threshold" in shown
    assert "anomaly map" not in shown


def test_or_a_row_per_method_under_the_inputs(study: StudyEntry) -> None:
    figure = drawn(study, "reconstructions", dataset="brats21", subjects=3, rows="methods", maps=True)
    assert len(pictures(figure)) == 3 + 2 * 3 * 2
    shown = texts(figure).replace("-\n", "-").replace("\n", " ")
    assert "Label dae-coarse" in shown
    assert "99.5th percentile of each method" in shown


def test_both_ways_show_the_same_images(study: StudyEntry) -> None:
    by_subject = drawn(study, "reconstructions", dataset="brats21", subjects=1)
    by_method = drawn(study, "reconstructions", dataset="brats21", subjects=1, rows="methods")
    image, _, dae, ddpm = pictures(by_subject)
    for found, expected in zip(pictures(by_method), (image, dae, ddpm), strict=True):
        np.testing.assert_array_equal(found, expected)


def test_without_pseudo_healthy_images_the_figure_says_so(study: StudyEntry) -> None:
    settings = figure_settings("reconstructions", dataset="brats21", methods=METHODS[:1])
    assert "not run" in texts(draw_figure(settings, with_scores(study, [])))


@pytest.fixture
def synthetic(study: StudyEntry, tmp_path: Path) -> StudyEntry:
    """The study with a synthetic set, whose images before the anomaly are all 0.25."""
    folder = tmp_path / "synthetic" / "ellipses"
    shutil.copytree(study.datasets[0].arrays, folder)
    images = np.load(folder / "images.npy")
    np.save(folder / "clean.npy", np.full_like(images, 0.25))
    return replace(study, folder=tmp_path, datasets=())


def test_an_anomaly_is_shown_beside_the_image_it_was_put_into(synthetic: StudyEntry) -> None:
    figure = drawn(synthetic, "anomaly-examples", datasets=["ellipses"], subjects=2)
    found = pictures(figure)
    assert len(found) == 2 * 3
    store = ArrayStore(synthetic.folder / "synthetic" / "ellipses")
    volume = store.volume(store.subjects[0])
    clean, with_anomaly, outlined = found[:3]
    assert np.ptp(clean) == 0
    np.testing.assert_array_equal(with_anomaly, outlined)
    lesion = as_seen(volume.lesion[shown_slice(volume)], store.affine(volume.subject))
    assert with_anomaly.shape <= lesion.shape
    assert figure.axes[2].collections  # the outline


def test_maps_of_methods_stand_beside_the_anomalies(study: StudyEntry) -> None:
    figure = drawn(study, "anomaly-examples", datasets=["brats21"], subjects=1)
    assert len(pictures(figure)) == 2 + 3  # no clean image is known of a real data set
    assert "no image" in texts(figure)


def test_sets_and_methods_that_are_not_there_are_named(synthetic: StudyEntry) -> None:
    figure = drawn(synthetic, "anomaly-examples", datasets=["ellipses", "copy-paste"], subjects=1)
    shown = texts(figure).replace("\n", " ")
    assert "not made: copy-paste" in shown
    assert "not run: Label threshold, Label dae-coarse" in shown
    assert "not run" in texts(drawn(synthetic, "anomaly-examples", datasets=["copy-paste"]))


def test_a_figure_needs_no_title(study: StudyEntry) -> None:
    settings = figure_settings("reconstructions", dataset="brats21", methods=METHODS, title=" ")
    assert draw_figure(settings, with_scores(study, [])).axes


def test_a_long_title_is_shown_whole(study: StudyEntry) -> None:
    title = "Pseudo-healthy images of every model that this study has trained, for a few test subjects"
    settings = figure_settings(
        "reconstructions", dataset="brats21", methods=METHODS, width="column", title=title
    )
    assert title in " ".join(texts(draw_figure(settings, with_scores(study, []))).split())


@pytest.mark.parametrize("width", ["column", "page"])
@pytest.mark.parametrize("rows", ["subjects", "methods"])
def test_nothing_written_is_smaller_than_six_points_or_overlaps(
    study: StudyEntry, rows: str, width: str
) -> None:
    figure = drawn(study, "reconstructions", dataset="brats21", rows=rows, width=width, maps=True)
    figure.draw_without_rendering()
    written = [text for text in figure.findobj(Text) if text.get_text() and text.get_visible()]
    assert min(text.get_fontsize() for text in written) >= 6
    boxes = [text.get_window_extent().shrunk(0.98, 0.8) for text in written]
    for number, box in enumerate(boxes):
        overlapping = [written[i].get_text() for i in range(number) if box.overlaps(boxes[i])]
        assert not overlapping, (written[number].get_text(), overlapping)
