"""Simulated head CTs: Hounsfield units, findings that are seen, slices that lie where they say."""

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
import pytest

from brainuad.phantom.anatomy import load_anatomy, prepare_anatomies
from brainuad.phantom.ct import physics
from brainuad.phantom.ct.canvas import Canvas
from brainuad.phantom.ct.effects import EFFECTS
from brainuad.phantom.ct.findings import PLANS, Person, draw_canvas
from brainuad.phantom.ct.people import ACUTE
from brainuad.phantom.ct.places import DIRECTIONS, MIDLINE, SITES, VESSELS
from brainuad.phantom.ct.protocol import MAKERS, Export, draw_protocol, lay_planes, slice_planes
from brainuad.phantom.ct.scan import CtScan, simulate_ct
from brainuad.phantom.geometry import Pose
from brainuad.phantom.head import Model
from brainuad.phantom.patients import draw_finding
from brainuad.phantom.prevalence import EFFECTS as SHARES
from brainuad.phantom.reports.facts import KINDS, Finding
from brainuad.phantom.settings import PhantomSettings
from brainuad.phantom.warp import make_guide
from brainuad.randomness import numpy_generator

from .conftest import ATLAS_FOLDER

COARSE = PhantomSettings(spacing_mm=3.5)
STRAIGHT = Pose(np.eye(3), np.zeros(3))
PLAIN = replace(
    draw_protocol(Export(0, 0, 0, 0, 0, 0, 0, 0), numpy_generator(0, "protocol")), maker=MAKERS[0]
)
TILTED = replace(PLAIN, tilt_deg=16.0)
BRIGHT = (
    "subdural",
    "extradural",
    "intracerebral",
    "contusion",
    "subarachnoid",
    "intraventricular",
    "metastases",
)
DARK = ("early_infarct", "old_infarct", "lacune", "encephalitis")


@pytest.fixture(scope="module")
def person() -> Person:
    """Someone of 60 years with the head of the phantom."""
    if not (ATLAS_FOLDER / "sri24").is_dir():
        pytest.skip("resources/sri24 absent: run `make atlas`")
    anatomy = load_anatomy(prepare_anatomies("sri24", ATLAS_FOLDER)[0])
    draws: Callable[..., np.random.Generator] = lambda *purpose: numpy_generator(4, *purpose)  # noqa: E731
    return Person(Model(anatomy, make_guide(anatomy)), 60, 1.0, draws)


@pytest.fixture(scope="module")
def drawn(person: Person) -> Callable[..., Canvas]:
    """A function from findings to the head that shows them, always the same head in the same place."""
    grid = lay_planes(PLAIN, COARSE.spacing_mm).grid(STRAIGHT, person.model.guide.centre)
    kept: dict[tuple[Finding, ...], Canvas] = {}

    def draw(*findings: Finding) -> Canvas:
        if findings not in kept:
            kept[findings] = draw_canvas(person, findings, grid)
        return kept[findings]

    return draw


def finding(kind: str, *effects: str, **changes: object) -> Finding:
    return replace(draw_finding(kind, numpy_generator(8, kind)), effects=effects, **changes)


def scanned(person: Person, findings: Sequence[Finding], protocol=PLAIN, seed: int = 3) -> CtScan:
    return simulate_ct(person, findings, protocol, COARSE, numpy_generator(seed, "scan"))


def inside(canvas: Canvas) -> np.ndarray:
    return canvas.slab.brain > 0.9


def test_every_kind_of_finding_and_every_effect_is_drawn():
    assert set(PLANS) == set(KINDS)
    assert {effect for shares in SHARES.values() for effect in shares} <= set(EFFECTS)


def test_every_site_of_a_report_is_a_place():
    for kind, wording in KINDS.items():
        known = VESSELS if kind == "dense_vessel" else SITES.keys() | DIRECTIONS.keys()
        assert set(wording.sites) <= set(known), kind


def test_sites_lie_inside_the_skull(person):
    for name, (lateral, back, top) in SITES.items():
        for side in (-1, 1):
            voxel = np.rint([MIDLINE + side * lateral, back, top]).astype(int)
            around = tuple(slice(place - 6, place + 7) for place in voxel)
            assert (person.model.anatomy.maps[(*around, -1)] > 127).any(), name


def test_tissues_have_their_hounsfield_units(drawn):
    canvas = drawn()
    for tissue, low, high in (("grey", 34, 42), ("white", 26, 32), ("csf", 0, 12), ("bone", 900, 1400)):
        pure = canvas.slab.fractions[tissue] > 0.98
        assert low < np.median(canvas.hu[pure]) < high
    assert canvas.volume(canvas.hu, -1000.0)[0, 0, 0] == -1000


@pytest.mark.parametrize("kind", sorted(set(PLANS) - {"atrophy", "artefact"}))
def test_every_finding_changes_the_head(drawn, kind):
    changed = np.abs(drawn(finding(kind)).hu - drawn().hu)
    assert (changed > 5).sum() > 8


@pytest.mark.parametrize("effect", sorted(EFFECTS))
def test_every_effect_changes_the_head(drawn, effect):
    bleed = finding("intracerebral", site="basal ganglia", size_mm=30)
    changed = np.abs(drawn(replace(bleed, effects=(effect,))).hu - drawn(bleed).hu)
    assert (changed > 4).sum() > 8


@pytest.mark.parametrize("kind", BRIGHT)
def test_fresh_blood_and_metastases_are_brighter_than_the_brain(drawn, kind):
    canvas = drawn(finding(kind))
    outlined = np.max(list(canvas.marks.values()), axis=0) > 0.8
    assert outlined.any()
    assert 46 < np.median(canvas.hu[outlined]) < 82


@pytest.mark.parametrize("kind", DARK)
def test_infarcts_and_inflammation_are_darker_than_the_brain(drawn, kind):
    canvas = drawn(finding(kind))
    outlined = np.max(list(canvas.marks.values()), axis=0) > 0.8
    assert np.median(canvas.hu[outlined]) < 28


@pytest.mark.parametrize("kind", sorted(ACUTE))
def test_acute_findings_are_outlined_inside_the_skull_on_their_side(drawn, kind):
    sides = {}
    for side in ("left", "right"):
        canvas = drawn(finding(kind, side=side))
        (mask,) = canvas.marks.values()
        assert np.mean(canvas.depth_mm(canvas.all)[0][mask > 0.5] > -2) > 0.98
        sides[side] = np.average(canvas.slab.places[:, 0], weights=mask)
    if kind not in ("subarachnoid", "metastases"):
        assert sides["left"] > sides["right"] + 10


def test_a_midline_shift_moves_the_ventricles_to_the_other_side(drawn):
    bleed = finding("intracerebral", side="left", site="basal ganglia", size_mm=30)

    def middle(canvas: Canvas) -> float:
        fluid = canvas.slab.fractions["csf"] * (canvas.to_ventricle_mm < 2) * (canvas.slab.places[:, 2] > 112)
        return float(np.average(canvas.slab.places[:, 0], weights=fluid))

    assert middle(drawn(replace(bleed, effects=("midline shift",)))) < middle(drawn(bleed)) - 1


def test_atrophy_leaves_more_fluid(drawn):
    fluid = {
        kinds: drawn(*map(finding, kinds)).slab.fractions["csf"][inside(drawn())].mean()
        for kinds in ((), ("atrophy",))
    }
    assert fluid["atrophy",] > 1.15 * fluid[()]


def test_a_head_without_atrophy_looks_no_older_than_middle_age(person, drawn):
    old = replace(person, age=90)
    grid = drawn().grid
    fluid = draw_canvas(old, (), grid).slab.fractions["csf"][inside(drawn())].mean()
    assert fluid == pytest.approx(drawn().slab.fractions["csf"][inside(drawn())].mean(), rel=0.02)


def test_hydrocephalus_widens_the_ventricles(drawn):
    def ventricles(canvas: Canvas) -> float:
        return float((canvas.slab.fractions["csf"] * (canvas.to_ventricle_mm < 1)).sum())

    assert ventricles(drawn(finding("hydrocephalus"))) > 1.3 * ventricles(drawn())


def test_calcium_is_dense_and_air_is_not_there_without_its_finding(drawn):
    calcified, clear = drawn(finding("calcification")), drawn()
    deep = inside(clear) & (clear.slab.fractions["bone"] < 0.01) & (clear.to_ventricle_mm < 20)
    assert calcified.hu[deep].max() > 80 > clear.hu[deep].max()
    assert drawn(finding("pneumocephalus")).hu[inside(clear)].min() < -400 < clear.hu[inside(clear)].min()


def test_operations_and_fractures_open_the_skull(drawn):
    bone = drawn().slab.fractions["bone"] > 0.9
    for kind in ("fracture", "surgery"):
        assert (drawn(finding(kind)).hu[bone] < 500).sum() > 5


def test_scans_of_one_person_show_one_head_in_another_place(person):
    first, second = scanned(person, [], seed=1), scanned(person, [], seed=2)
    volumes = [(scan.slices.values > 400).sum() for scan in (first, second)]
    assert volumes[0] == pytest.approx(volumes[1], rel=0.12)
    assert np.abs(first.slices.values - second.slices.values).mean() > 30


def test_the_same_draws_give_the_same_scan(person):
    bleed = [finding("intracerebral")]
    first, second = scanned(person, bleed), scanned(person, bleed)
    np.testing.assert_array_equal(first.slices.values, second.slices.values)
    np.testing.assert_array_equal(first.mask, second.mask)


def test_thick_slices_are_the_means_of_their_planes(person):
    quiet = COARSE.model_copy(update={"noise": 0.0})
    protocol = replace(PLAIN, thin_series=True)
    scan = simulate_ct(person, [], protocol, quiet, numpy_generator(3, "scan"))
    brain = (slice(20, -20), slice(20, -20), slice(18, 22))
    pairs = (scan.thin.values[..., 0::2] + scan.thin.values[..., 1::2]) / 2
    # Streaks have noise of their own.
    assert np.median(np.abs(pairs - scan.slices.values)[brain]) < 1.5


def test_uneven_slices_are_thin_below_and_overlap_once():
    parts = slice_planes(replace(PLAIN, uneven=True), 60)
    middles = np.array([first + (count - 1) / 2 for first, count in parts])
    assert set(np.diff(middles)) == {0.5, 1.0, 2.0}
    assert all(first + count <= 60 for first, count in parts)


@pytest.mark.parametrize("protocol", [PLAIN, TILTED], ids=["upright", "tilted"])
def test_the_mask_lies_on_the_bleed_in_the_world(person, protocol):
    scan = scanned(person, [finding("intracerebral", size_mm=40, site="basal ganglia")], protocol)
    directions = scan.mask_affine[:3, :3]
    np.testing.assert_allclose(
        directions.T @ directions, np.diag(np.diag(directions.T @ directions)), atol=1e-9
    )
    slices = scan.slices
    world = np.argwhere(scan.mask > 0) @ directions.T + scan.mask_affine[:3, 3]
    offset = world * (-1, -1, 1) - slices.positions[0]  # RAS to LPS
    number = np.rint(offset @ slices.planes.normal / (2 * slices.planes.distance_mm)).astype(int)
    on_slice = world * (-1, -1, 1) - slices.positions[number]
    pixels = np.rint(on_slice @ slices.planes.axes[:2].T / slices.planes.pixel_mm).astype(int)
    values = slices.values[pixels[:, 0], pixels[:, 1], number]
    assert np.median(values) > 52


def test_a_mask_is_never_empty(person):
    for kind in sorted(ACUTE):
        small = replace(finding(kind), size_mm=3)
        assert scanned(person, [small]).mask.any()


def test_without_an_outlined_finding_there_is_no_mask(person):
    assert scanned(person, [finding("fracture")]).mask is None


def test_streaks_need_bone(person):
    slices = np.full((64, 64, 2), 40.0, dtype=np.float32)
    rng = numpy_generator(0, "streaks")
    assert not physics.streaks(slices, 4.0, 1.0, rng).any()
    slices[20:24, 30:34] = slices[40:44, 30:34] = 1500
    added = physics.streaks(slices, 4.0, 1.0, rng)
    assert added[25:39, 31:33].mean() < added[25:39, 2:8].mean()


def test_the_projector_keeps_the_mass_of_a_slice():
    matrix = physics._projector(physics.COARSE, physics.ANGLES)
    slice_ = np.zeros((physics.COARSE,) * 2)
    slice_[25:40, 20:45] = numpy_generator(0, "mass").uniform(0, 1, (15, 25))
    sums = (matrix @ slice_.ravel()).reshape(physics.ANGLES, -1).sum(axis=1)
    np.testing.assert_allclose(sums, slice_.sum(), rtol=1e-5)


def test_noise_has_its_set_strength_and_the_rest_is_behind_the_head(person):
    water = np.zeros((64, 64, 4), dtype=np.float32)
    noisy = physics.scanned(water, 3.5, physics.Flaws(5.0, 1.0, moved=False), numpy_generator(0, "noise"))
    assert noisy.std() == pytest.approx(5.0, rel=0.02)
    air = np.full((64, 64, 1), -1000.0, dtype=np.float32)
    rest = physics.add_rest(air, 4.0)
    assert (rest[:, :32] == -1000).all()
    assert rest[:, 40:].max() > -400
    np.testing.assert_array_equal(physics.add_rest(water, 4.0), water)


def test_an_artefact_disturbs_the_slices(person):
    plain, disturbed = scanned(person, []), scanned(person, [finding("artefact")])
    assert np.abs(plain.slices.values - disturbed.slices.values).mean() > 2
