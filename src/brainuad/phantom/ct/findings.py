"""All kinds of findings by name, and the head that shows those of one scan."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from brainuad.phantom.ct import bleeds, masses, openings, strokes
from brainuad.phantom.ct.canvas import Canvas
from brainuad.phantom.ct.effects import BELOW, EFFECTS
from brainuad.phantom.ct.plans import Plan, Site
from brainuad.phantom.ct.shape import moved
from brainuad.phantom.geometry import Grid
from brainuad.phantom.head import Model, make_head, sample_head
from brainuad.phantom.reports.facts import Finding
from brainuad.phantom.warp import draw_warp

PLANS: dict[str, Callable[[Site], Plan]] = {
    "subdural": bleeds.subdural,
    "chronic_subdural": bleeds.chronic_subdural,
    "hygroma": bleeds.hygroma,
    "extradural": bleeds.extradural,
    "intracerebral": bleeds.intracerebral,
    "contusion": bleeds.contusion,
    "subarachnoid": bleeds.subarachnoid,
    "intraventricular": bleeds.intraventricular,
    "early_infarct": strokes.early_infarct,
    "old_infarct": strokes.old_infarct,
    "lacune": strokes.lacune,
    "dense_vessel": strokes.dense_vessel,
    "small_vessel": strokes.small_vessel,
    "hypoxic": strokes.hypoxic,
    "gliosis": strokes.gliosis,
    "traumatic_scar": strokes.traumatic_scar,
    "glioma": masses.glioma,
    "metastases": masses.metastases,
    "meningioma": masses.meningioma,
    "abscess": masses.abscess,
    "encephalitis": masses.encephalitis,
    "lesion": masses.lesion,
    "cavernoma": masses.cavernoma,
    "aneurysm": masses.aneurysm,
    "cyst": masses.cyst,
    "fracture": openings.fracture,
    "pneumocephalus": openings.pneumocephalus,
    "surgery": openings.surgery,
    "hydrocephalus": openings.hydrocephalus,
    "congenital": openings.congenital,
    "calcification": openings.calcification,
    "atrophy": openings.unpainted,
    "artefact": openings.unpainted,
}
# What is the same disease at another time lies at the same place.
FAMILIES = {"old_infarct": "infarct", "early_infarct": "infarct", "chronic_subdural": "subdural"}
# Painted first: what is all over the brain, and what other findings lie in.
FIRST = ("small_vessel", "hypoxic", "hydrocephalus", "old_infarct", "early_infarct")
# The apparent age of a brain without atrophy, and the youngest of one with it.
FULL_BRAIN, SHRUNK_BRAIN = 42.0, 74.0
SIZE_SD = 0.04


@dataclass(frozen=True)
class Person:
    """Whose head it is; `draws` gives the generator of a purpose, the same for all scans of the person."""

    model: Model
    age: float
    deformation: float
    draws: Callable[..., np.random.Generator]


def draw_canvas(person: Person, findings: Sequence[Finding], grid: Grid) -> Canvas:
    """The head of a person with these findings on the planes of a scan."""
    kinds = {finding.kind for finding in findings}
    age = max(person.age, SHRUNK_BRAIN) if kinds & {"atrophy"} else min(person.age, FULL_BRAIN)
    straight = draw_warp(person.model.guide, age, person.deformation, SIZE_SD, person.draws("warp"))
    steps = []
    for finding in sorted(findings, key=lambda each: each.kind not in FIRST):
        rng = person.draws("finding", FAMILIES.get(finding.kind, finding.kind))
        steps += _with_effects(Site(person.model, straight, finding, rng))
    moves = tuple(move for step in steps for move in step.moves)
    warp = moved(straight, person.model.guide, moves) if moves else straight
    head = make_head(person.model, warp, age, person.draws("head"))
    canvas = Canvas(head, straight, grid, sample_head(head, grid), person.draws("texture"))
    for step in steps:
        step.paint(canvas)
    return canvas


def _with_effects(site: Site) -> list[Plan]:
    """The plan of a finding among those of its effects, in the order in which they are painted."""
    plan = PLANS[site.finding.kind](site)
    effects = {name: EFFECTS[name](site, plan) for name in site.finding.effects}
    below = [effect for name, effect in effects.items() if name in BELOW]
    return [*below, plan, *(effect for name, effect in effects.items() if name not in BELOW)]
