"""The scans of a phantom of CQ500, and what three radiologists read on them (Chilamkurthy 2018)."""

from collections.abc import Iterable, Sequence

import numpy as np

from brainuad.phantom.ct.people import ScanFacts
from brainuad.phantom.names import phantom_numbers
from brainuad.phantom.patients import draw_findings, draw_kinds
from brainuad.phantom.reports.facts import Finding
from brainuad.randomness import numpy_generator

DATASET = "cq500"
READERS = 3
# Why people come; most after an accident.
REASONS = {"trauma": 0.5, "stroke": 0.2, "headache": 0.15, "collapse": 0.15}
ACUTE_DRAWS = 2  # acute findings are so many times as usual as in the hospital
OVERLOOKED, INVENTED = 0.06, 0.004
BLEEDS = {
    "IPH": ("intracerebral", "contusion"),
    "IVH": ("intraventricular",),
    "SDH": ("subdural", "chronic_subdural"),
    "EDH": ("extradural",),
    "SAH": ("subarachnoid",),
}
COLUMNS = (
    *("ICH", *BLEEDS, "BleedLocation-Left", "BleedLocation-Right", "ChronicBleed"),
    *("Fracture", "CalvarialFracture", "OtherFracture", "MassEffect", "MidlineShift"),
)


def cq500_scans(count: int, seed: int) -> list[ScanFacts]:
    """The first `count` scans, each of another person, and what each of them shows."""
    return [_draw_scan(number, seed) for number in phantom_numbers(DATASET, count, seed)]


def _draw_scan(number: int, seed: int) -> ScanFacts:
    name = f"CQ500CT{number}"
    rng = numpy_generator(seed, "phantom", DATASET, name, "facts")
    age = int(np.clip(rng.normal(48, 18), 18, 90))
    reason = str(rng.choice(list(REASONS), p=list(REASONS.values())))
    kinds = [kind for _ in range(ACUTE_DRAWS) for kind in draw_kinds(reason, age, rng)]
    return ScanFacts(
        subject=name,
        number=number,
        site="",
        scan=1,
        age=age,
        sex="F" if rng.random() < 0.4 else "M",
        patient=name,
        findings=draw_findings(kinds, rng),
        files={"ct": f"{name} {name}"},
    )


def readings(scan: ScanFacts, seed: int) -> dict[str, int]:
    """What the readers say about a scan: 0 or 1 by columns such as `R1:ICH`."""
    rng = numpy_generator(seed, "phantom", DATASET, scan.subject, "reads")
    read: dict[str, int] = {}
    for reader in range(1, READERS + 1):
        seen = [finding for finding in scan.findings if rng.random() >= OVERLOOKED]
        votes = true_reading(seen)
        if rng.random() < INVENTED * len(COLUMNS):
            votes[str(rng.choice(["SAH", "Fracture", "MassEffect"]))] = 1
        votes["ICH"] = max(votes[name] for name in ("ICH", *BLEEDS))
        read |= {f"R{reader}:{name}": votes[name] for name in COLUMNS}
    return read


def true_reading(findings: Sequence[Finding]) -> dict[str, int]:
    """What a reader says who misses nothing: 0 or 1 for each of `COLUMNS`."""
    bleeding = [each for each in findings if any(each.kind in kinds for kinds in BLEEDS.values())]
    broken = [each.site == "orbital roof" for each in findings if each.kind == "fracture"]
    effects = {effect for each in findings for effect in each.effects}
    said: dict[str, bool] = {
        "ICH": bool(bleeding),
        **{name: _any_of(findings, kinds) for name, kinds in BLEEDS.items()},
        "BleedLocation-Left": any(each.side == "left" for each in bleeding),
        "BleedLocation-Right": any(each.side == "right" for each in bleeding),
        "ChronicBleed": _any_of(findings, ("chronic_subdural",)),
        "Fracture": bool(broken),
        "CalvarialFracture": False in broken,
        "OtherFracture": True in broken,
        "MassEffect": not effects.isdisjoint(("mass effect", "midline shift", "herniation")),
        "MidlineShift": "midline shift" in effects,
    }
    return {name: int(said[name]) for name in COLUMNS}


def _any_of(findings: Sequence[Finding], kinds: Iterable[str]) -> bool:
    return any(finding.kind in kinds for finding in findings)
