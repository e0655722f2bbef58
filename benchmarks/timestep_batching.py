"""Time and memory of noise predictions at many times: times batched together against one time after the other.

Run by hand: `python benchmarks/timestep_batching.py [--device cuda] [--network paper] [--slices 1 8 155]`. The
work is that of the rules KL (21 times) and ANDi (125 times) on a volume with so many slices. One time after the
other, a pass of the network holds the slices of one time, as in the released code of ANDi; batched, it is filled
up to `--batch-size` images. Both make the same maps. Weights are random: they do not change the time. Each case
runs in its own process; memory is the most that it needs besides the model and the volume.
"""

import argparse
import resource
import time
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass

import torch

from brainuad.diffusion.timesteps import predicted_noise
from brainuad.methods.base import ImageShape
from brainuad.methods.ddpm import Ddpm, DdpmSettings
from brainuad.randomness import Draws
from brainuad.study import overlay

WORK = {"KL": range(399, 600, 10), "ANDi": range(75, 200)}


@dataclass(frozen=True)
class Case:
    """One measurement."""

    times: range
    slices: int
    batch_size: int
    side: int
    network: str
    device: str
    threads: int


def build(case: Case) -> Ddpm:
    """A model with the network of Kascenas 2023 for four modalities, or with that of the quick scale."""
    paper = DdpmSettings().model_dump(mode="json")
    settings = DdpmSettings.model_validate(overlay(paper, Ddpm.quick if case.network == "quick" else {}))
    torch.manual_seed(0)
    shape = ImageShape(("flair", "t1", "t1ce", "t2"), (case.side, case.side))
    return Ddpm(settings, shape).to(case.device).eval()


def memory(device: str) -> float:
    """The most MB that were in use so far."""
    if device == "cuda":
        return torch.cuda.max_memory_allocated() / 2**20
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**10


@torch.no_grad()
def measure(case: Case) -> tuple[float, float, float]:
    """Seconds, MB and the mean of the map."""
    torch.set_num_threads(case.threads)
    model = build(case)
    draws = Draws(0, device=case.device)
    size = (case.slices, 4, case.side, case.side)
    x_0 = torch.rand(size, generator=draws.generator("volume"), device=case.device)

    def noise_at(t: int) -> torch.Tensor:
        return model.draw_noise(x_0.shape, draws.generator("noise", t))

    model.predict_eps(x_0[:1], torch.zeros(1, device=case.device))
    total = torch.zeros_like(x_0)
    before, started = memory(case.device), time.perf_counter()
    for _, eps, eps_hat in predicted_noise(model, x_0, case.times, noise_at, case.batch_size):
        total += (eps - eps_hat).square()
    mean = float(total.mean()) / len(case.times)  # waits for the device
    return time.perf_counter() - started, memory(case.device) - before, mean


def main() -> None:
    """Prints one line per rule and number of slices."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--device", default="cpu", choices=["cpu", "cuda"])
    parser.add_argument("--network", default="quick", choices=["quick", "paper"])
    parser.add_argument("--slices", type=int, nargs="+", default=[1, 8, 64])
    parser.add_argument("--side", type=int, default=64)
    parser.add_argument("--batch-size", type=int, default=64)
    parser.add_argument("--threads", type=int, default=2)
    options = parser.parse_args()
    print("rule  times  slices    one by one         batched    ratio of times")
    for rule, times in WORK.items():
        for slices in options.slices:
            sizes = (min(slices, options.batch_size), options.batch_size)
            shared = (options.side, options.network, options.device, options.threads)
            cases = [Case(times, slices, size, *shared) for size in sizes]
            with ProcessPoolExecutor(1, max_tasks_per_child=1) as pool:
                (slow, slow_mb, slow_map), (fast, fast_mb, fast_map) = pool.map(measure, cases)
            assert abs(slow_map - fast_map) < 1e-4 * slow_map, "both must do the same work"
            print(
                f"{rule:5} {len(times):5} {slices:7} {slow:7.2f} s {slow_mb:5.0f} MB "
                f"{fast:7.2f} s {fast_mb:5.0f} MB {slow / fast:8.2f}"
            )


if __name__ == "__main__":
    main()
