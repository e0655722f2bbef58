"""Settings of the comparison of pseudo-healthy images with the images that they were made from."""

from typing import Literal

from brainuad.settings import Settings


class SimilaritySettings(Settings):
    """The network of the perceptual distance (LPIPS), if it is wanted, and where its weights come from.

    Bercea 2023 (RA, Table 1) has `alex`.
    """

    lpips: Literal["none", "squeeze", "alex", "vgg"] = "none"
    # random: seeded weights, for tests and the quick scale only; results then say so.
    weights: Literal["pretrained", "random"] = "pretrained"

    @property
    def pretrained_networks(self) -> tuple[str, ...]:
        """The networks of `brainuad.networks.pretrained` whose weights are needed."""
        return (self.lpips,) if self.lpips != "none" and self.weights == "pretrained" else ()

    @property
    def remarks(self) -> tuple[str, ...]:
        """What a reader of the distances must know, in sentences."""
        if self.lpips != "none" and self.weights == "random":
            return ("LPIPS was measured with random weights instead of trained ones.",)
        return ()
