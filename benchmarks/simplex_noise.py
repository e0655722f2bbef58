"""Time of simplex noise against the opensimplex package on the same work.

    python benchmarks/simplex_noise.py

Six octaves on 128 x 128 pixels, for one field and for a batch of 16 with a seed each. Prints milliseconds
(best of twenty, after a first call that compiles or caches) and the ratio.
"""

from collections.abc import Callable
from time import perf_counter

import numpy as np
import opensimplex

from brainuad.noise.simplex import SimplexOctaves, simplex_fields

SIZE, REPEATS = 128, 20
OCTAVES = SimplexOctaves()
PLANE_Z = 10.0


def package_fields(seeds: np.ndarray, plane_z: float | None) -> np.ndarray:
    """The fields (seed, y, x) made with the package, field by field and octave by octave."""
    fields = np.zeros((len(seeds), SIZE, SIZE))
    for field, seed in zip(fields, seeds, strict=True):
        opensimplex.seed(int(seed))
        for octave in range(OCTAVES.octaves):
            step = 2**octave / OCTAVES.frequency
            axis = np.arange(SIZE) * step
            if plane_z is None:
                noise = opensimplex.noise2array(axis, axis)
            else:
                noise = opensimplex.noise3array(axis, axis, np.array([plane_z * step]))[0]
            field += OCTAVES.persistence**octave * noise
    return fields


def milliseconds(function: Callable[[], object]) -> float:
    """The shortest of several runs."""
    function()
    times = []
    for _ in range(REPEATS):
        start = perf_counter()
        function()
        times.append(perf_counter() - start)
    return 1000 * min(times)


def main() -> None:
    """Prints one line per kind and number of fields."""
    print("kind    fields   opensimplex      brainuad   ratio")
    for name, plane_z in (("2-D", None), ("3-D", PLANE_Z)):
        for count in (1, 16):
            seeds = np.arange(count)
            package = milliseconds(lambda seeds=seeds, z=plane_z: package_fields(seeds, z))
            ours = milliseconds(
                lambda seeds=seeds, z=plane_z: simplex_fields(seeds, (SIZE, SIZE), OCTAVES, z)
            )
            print(f"{name:7} {count:6}   {package:8.2f} ms   {ours:8.2f} ms   {package / ours:5.1f}")


if __name__ == "__main__":
    main()
