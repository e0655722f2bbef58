"""Fields of the noise generators, and images with them.

Kascenas 2023, Figures 2, 4 and 5; Behrendt 2023, Figure 5; Frotscher 2023, Figure 2.
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from matplotlib.figure import Figure

from brainuad.reporting.figures.maps import empty_figure
from brainuad.reporting.figures.pictures import Picture, PictureTable, Scale, draw_pictures
from brainuad.reporting.figures.shown import channel_of, shown_slice
from brainuad.reporting.figures.style import Results
from brainuad.reporting.picture_settings import NoisePanel, NoiseSamplesFigure
from brainuad.reporting.volumes import as_seen, load_dataset


def draw_noise_samples(settings: NoiseSamplesFigure, results: Results) -> Figure:
    """Without times: a field per panel and under it the noised slice; with times: a row of x_t per panel."""
    x = _image(settings, results) if settings.dataset else None
    phantom = settings.dataset in results.study.phantoms
    if settings.dataset and x is None:
        return empty_figure(settings, phantom)
    fields = [noise_field(panel, settings, x) for panel in settings.panels]
    if x is not None and settings.times:
        return draw_pictures(settings, _over_times(settings, x, fields), phantom)
    return draw_pictures(settings, _side_by_side(settings, x, fields), phantom)


def noise_field(panel: NoisePanel, settings: NoiseSamplesFigure, x: np.ndarray | None) -> np.ndarray:
    """The panel's field in the shape of the image, or (size, size); all panels begin at the same seed."""
    # torch is heavy, and no other figure needs it.
    from brainuad.noise.fields import draw_noise
    from brainuad.randomness import torch_generator

    shape = (settings.size, settings.size) if x is None else x.shape
    generator = torch_generator(settings.seed, "noise samples")
    return draw_noise(panel.noise, (1, 1, *shape), generator)[0, 0].numpy()


def noised_at(
    settings: NoiseSamplesFigure, x: np.ndarray, times: Sequence[int], eps: np.ndarray
) -> list[np.ndarray]:
    """x_t = sqrt(alpha_bar_t) x_0 + sqrt(1 - alpha_bar_t) eps at each time, x_0 in the chosen range."""
    import torch

    from brainuad.diffusion.process import q_sample
    from brainuad.diffusion.schedule import make_schedule

    schedule = make_schedule(settings.schedule)
    x_0 = 2 * x - 1 if settings.value_range == "symmetric" else x
    image, field = (torch.from_numpy(array)[None, None].float() for array in (x_0, eps))
    return [x_0 if t == 0 else q_sample(schedule, image, t - 1, field)[0, 0].numpy() for t in times]


def _image(settings: NoiseSamplesFigure, results: Results) -> np.ndarray | None:
    """A slice of the first packed subject as a reader sees it, in the recipe's range."""
    store = load_dataset(results.study.dataset(settings.dataset))
    if store is None or not store.subjects:
        return None
    subject = store.subjects[0]
    volume = store.volume(subject)
    plane = volume.images[shown_slice(volume), channel_of(store, settings.channel)]
    return np.ascontiguousarray(as_seen(plane, store.affine(subject)))


def _side_by_side(
    settings: NoiseSamplesFigure, x: np.ndarray | None, fields: Sequence[np.ndarray]
) -> PictureTable:
    """Bands of at most `columns` panels: a row of fields, and a row of images with them."""
    reach = float(np.percentile(np.abs(np.stack(fields)), 99.5)) or 1.0
    rows: list[list[Picture | None]] = []
    labels = []
    columns = min(settings.columns, len(fields))
    for first in range(0, len(fields), columns):
        band = list(zip(settings.panels, fields, strict=True))[first : first + columns]
        room: list[Picture | None] = [None] * (columns - len(band))
        titles = [panel.label for panel, _ in band]
        if settings.fields:
            scale = Scale(-reach, reach)
            shown = [Picture(field, title, scale) for (_, field), title in zip(band, titles, strict=True)]
            rows.append([*shown, *room])
            labels.append("noise" if x is not None else "")
            titles = [""] * len(band)
        if x is not None:
            head = x > 0.01  # where denoising auto-encoders add noise (Kascenas 2023, algorithm 1)
            noised = [
                Picture(x + field * head, title) for (_, field), title in zip(band, titles, strict=True)
            ]
            rows.append([*noised, *room])
            labels.append("image + noise")
    note = f"noise: black is -{reach:.2g}, white {reach:.2g}" if settings.fields else ""
    if x is not None:
        note += "; images: black is 0, white 1" if note else "black is 0, white 1"
    return PictureTable(rows, labels, note=note)


def _over_times(settings: NoiseSamplesFigure, x: np.ndarray, fields: Sequence[np.ndarray]) -> PictureTable:
    """A row per panel (or several, of `columns` pictures): its field, and x_t at each time."""
    rows: list[list[Picture | None]] = []
    labels = []
    for panel, eps in zip(settings.panels, fields, strict=True):
        noised = noised_at(settings, x, settings.times, eps)
        pictures = [
            Picture(x_t, f"t = {t}", _scale_of(x_t, settings))
            for t, x_t in zip(settings.times, noised, strict=True)
        ]
        if settings.fields:
            pictures.insert(0, Picture(eps, "noise", _scale_of(eps, settings)))
        columns = min(settings.columns, len(pictures))
        if rows and len(pictures) == columns:  # the titles above the first row are those of all
            pictures = [replace(picture, title="") for picture in pictures]
        for first in range(0, len(pictures), columns):
            band: list[Picture | None] = [*pictures[first : first + columns]]
            rows.append(band + [None] * (columns - len(band)))
            labels.append(panel.label)
    low = -1 if settings.value_range == "symmetric" else 0
    note = f"black and white: 0.5th and 99.5th percentile of a picture, at least {low} to 1"
    return PictureTable(rows, labels, note=note)


def _scale_of(x_t: np.ndarray, settings: NoiseSamplesFigure) -> Scale:
    """From black to white: the range of clean images, or more where the noise reaches beyond it."""
    low, high = (float(value) for value in np.percentile(x_t, [0.5, 99.5]))
    return Scale(min(low, -1.0 if settings.value_range == "symmetric" else 0.0), max(high, 1.0))
