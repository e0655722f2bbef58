"""One colour, dash and marker per method, the same in every figure and page.

A colour depends on the method's name alone, so adding a method changes no other. Families have fixed hues,
most of them from the colour-blind safe palettes of Okabe and Ito (2008) and of Tol (2021), the others chosen
so that no two are alike to people who do not see red or green; variants of a family (noise, filter, patch
grid) are lighter or darker shades of it. Dash and marker tell apart what shade alone might not.
"""

import colorsys
import hashlib

# By the beginning of a method's name; the longest that fits counts.
FAMILIES = {
    "threshold": "#707070",
    "ae": "#999933",
    "vae": "#56B4E9",
    "svae": "#332288",
    "fanogan": "#AA4499",
    "dae": "#0072B2",
    "ddpm": "#E69F00",
    "anoddpm": "#E69F00",
    "diffusion": "#E69F00",
    "kl": "#117733",
    "inpainting": "#44AA99",
    "pddpm": "#D55E00",
    "andi": "#009E73",
    "autoddpm": "#882255",
    "sivae": "#E78AC3",
    "ra": "#B00020",
    "mkd": "#C8A882",
    "unet": "#111111",
    "nnunet": "#111111",
    "supervised": "#111111",
}
# Other names of a family, by the beginning of a method's name.
ALIASES = {
    "thresholding": "threshold",
    "thresh": "threshold",
    "f-anogan": "fanogan",
    "si-vae": "sivae",
    "nn-unet": "nnunet",
    "reconstruction": "diffusion",
    "one-shot": "ddpm-one-shot",
}
# Share of white (positive) or black (negative) mixed into the family's colour.
SHADES = {
    "": 0.0,
    "coarse": 0.0,
    "simplex": 0.25,
    "gaussian": 0.45,
    "pyramid": -0.30,
    "rec": 0.30,
    "reconstruction": 0.30,
    "restoration": 0.0,
    "rest": 0.0,
    "inpainting": -0.35,
    "mf3": 0.25,
    "mf5": -0.25,
}
DASHES: tuple[tuple[float, ...] | None, ...] = (
    None,
    (5.0, 1.6),
    (1.4, 1.2),
    (6.0, 1.4, 1.4, 1.4),
    (3.0, 1.2),
)
MARKERS = "osD^v<>"


def colour_of(method: str) -> str:
    """The colour of a method as #rrggbb."""
    family, variant = _parts(method)
    red, green, blue = _family_colour(family)
    shade = _shade(variant)
    target, amount = (1.0, shade) if shade > 0 else (0.0, -shade)
    mixed = (channel + (target - channel) * amount for channel in (red, green, blue))
    return "#" + "".join(f"{round(255 * channel):02x}" for channel in mixed)


def dash_of(method: str) -> tuple[float, ...] | None:
    """The dash pattern of a method's line in points, None for a solid line: variants of a family differ."""
    _, variant = _parts(method)
    return None if not variant else DASHES[_position(variant) % len(DASHES)]


def marker_of(method: str) -> str:
    """The Matplotlib marker of a method."""
    family, variant = _parts(method)
    first = list(FAMILIES).index(family) if family in FAMILIES else _number(family)
    return MARKERS[(first + (_position(variant) if variant else 0)) % len(MARKERS)]


def family_of(method: str) -> str:
    """The family that a method belongs to, itself a name of which the colour can be asked."""
    return _parts(method)[0]


def _parts(method: str) -> tuple[str, str]:
    plain = method.lower().replace("_", "-")
    for alias, name in ALIASES.items():
        if plain == alias or plain.startswith(f"{alias}-"):
            plain = name + plain[len(alias) :]
            break
    first, _, variant = plain.partition("-")
    if first in FAMILIES:
        return first, variant
    # "ddpm50" belongs to "ddpm"; short names such as "ra" begin too many other words.
    fitting = [family for family in FAMILIES if len(family) > 3 and first.startswith(family)]
    return (max(fitting, key=len), plain) if fitting else (plain, "")


def _family_colour(family: str) -> tuple[float, float, float]:
    if family in FAMILIES:
        code = FAMILIES[family]
        return int(code[1:3], 16) / 255, int(code[3:5], 16) / 255, int(code[5:7], 16) / 255
    number = _number(family)
    return colorsys.hls_to_rgb(number % 3600 / 3600, 0.36 + number // 3600 % 3 * 0.08, 0.55)


def _shade(variant: str) -> float:
    if variant in SHADES:
        return SHADES[variant]
    known = [SHADES[part] for part in variant.split("-") if part in SHADES]
    return (known[0] if known else 0.0) + (_number(variant) % 101 - 50) / 50 * 0.3 * (0.4 if known else 1)


def _position(variant: str) -> int:
    known = list(SHADES)
    return known.index(variant) if variant in known else _number(variant)


def _number(text: str) -> int:
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=4).digest(), "big")
