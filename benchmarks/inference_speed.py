"""Seconds per volume of every method at the size of its paper, and the ratio to the DAE's single pass.

Run by hand: `python benchmarks/inference_speed.py [--study every-method] [--device cuda] [--slices 8]`. Weights
are random and settings that a method would calibrate are fixed: neither changes the time. All methods of a study
score the same random volume in one process.
"""

import argparse
import time
from pathlib import Path
from typing import Any

import torch
import yaml

from brainuad.methods.base import ImageShape, Scan
from brainuad.methods.registry import model_class, scoring_rule_class
from brainuad.plan import Plan
from brainuad.plan_reader import read_plan
from brainuad.randomness import Draws

REPOSITORY = Path(__file__).parents[1]
# Size of the arrays of each study at paper scale, and slices of a volume; every method once at that of BraTS.
SIZES = {
    "every-method": ((128, 128), 155),
    "behrendt2023": ((96, 96), 50),
    "kascenas2023": ((128, 128), 155),
    "frotscher2023": ((128, 128), 155),
}
FIXED = {"tv_weight": 1.0, "mask_threshold": 0.13}


def score_once(plan: Plan, study: str, method: str, scan: Scan, shape: ImageShape) -> float:
    """Seconds of one scoring, after the model is built and one pass has warmed up."""
    entry = plan.studies[study].methods[method]
    rule_class = scoring_rule_class(entry.rule)
    model: Any = None
    if entry.model is not None:
        chosen = model_class(plan.studies[study].models[entry.model].kind)
        settings = chosen.settings_class.model_validate(plan.model_settings(study, entry.model))
        model = chosen(settings, shape).to(scan.images.device).eval()
    chosen_settings = plan.rule_settings(study, method)
    chosen_settings |= {key: value for key, value in FIXED.items() if key in chosen_settings}
    if "perceptual" in chosen_settings:
        chosen_settings["perceptual"]["weights"] = "random"
    rule = rule_class(rule_class.settings_class.model_validate(chosen_settings), model, shape)
    draws = Draws(0, device=str(scan.images.device))
    first = Scan("warm-up", scan.images[:1], scan.brain[:1])
    rule.score(first, draws)
    started = time.perf_counter()
    rule.score(scan, draws)
    if scan.images.is_cuda:
        torch.cuda.synchronize()
    return time.perf_counter() - started


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--device", default="cpu", choices=["cpu", "cuda"])
    parser.add_argument("--study", choices=SIZES, help="one study instead of all")
    parser.add_argument("--slices", type=int, help="score fewer slices and scale the time up")
    options = parser.parse_args()
    config = yaml.safe_load((REPOSITORY / "config.yaml").read_text())
    for study in [options.study] if options.study else SIZES:
        size, depth = SIZES[study]
        plan = read_plan({**config, "studies": [study], "scale": "paper"}, REPOSITORY / "workflow")
        channels = plan.recipes[plan.studies[study].recipe].modalities
        slices = min(options.slices or depth, depth)
        images = torch.rand(slices, len(channels), *size, device=options.device)
        brain = torch.ones(slices, 1, *size, dtype=torch.bool, device=options.device)
        scan = Scan("random", images, brain)
        seconds = {
            method: score_once(plan, study, method, scan, ImageShape(channels, size)) * depth / slices
            for method, entry in plan.studies[study].methods.items()
            if entry.maps_of is None
        }
        reference = next(value for name, value in seconds.items() if name.startswith("dae"))
        print(f"{study}: {len(channels)} x {size[0]} x {size[1]} x {depth} ({slices} slices measured)")
        for method, value in seconds.items():
            print(f"  {method:22} {value:9.2f} s a volume, {value / reference:7.2f} x the DAE")


if __name__ == "__main__":
    main()
