"""Feature layers under torchvision's names, and what is said of files that do not fit."""

import hashlib
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from brainuad.errors import InputError
from brainuad.networks import pretrained
from brainuad.networks.pretrained import (
    PUBLISHED,
    Published,
    download_weights,
    find_weights,
    load_features,
    random_features,
    tapped,
    unset_features,
    weights_file,
)


def save(layers: nn.Module, path: Path, **more: Tensor) -> Path:
    """A file like torchvision's: feature layers under their prefix, and the classifier."""
    content = {f"features.{name}": value for name, value in layers.state_dict().items()}
    torch.save({**content, "classifier.1.weight": torch.zeros(2, 2), **more}, path)
    return path


# Weights and biases, counted from the papers' tables of layers.
@pytest.mark.parametrize(
    ("network", "parameters"), [("squeeze", 722_496), ("alex", 2_469_696), ("vgg", 14_714_688)]
)
def test_feature_layers_have_as_many_parameters_as_those_of_torchvision(network, parameters) -> None:
    assert sum(parameter.numel() for parameter in unset_features(network).parameters()) == parameters


@pytest.mark.parametrize(
    ("network", "at_64", "at_128"),
    [
        ("squeeze", (512, 3, 3), (512, 7, 7)),
        ("alex", (256, 1, 1), (256, 3, 3)),
        ("vgg", (512, 2, 2), (512, 4, 4)),
    ],
)
def test_features_shrink_as_in_the_published_networks(network, at_64, at_128) -> None:
    layers = random_features(network)
    assert tuple(layers(torch.rand(1, 3, 64, 64)).shape[1:]) == at_64
    assert tuple(layers(torch.rand(1, 3, 128, 128)).shape[1:]) == at_128


@pytest.mark.parametrize(
    ("network", "names"),
    [
        ("squeeze", {"0.bias": (64,), "3.squeeze.weight": (16, 64, 1, 1), "12.expand3x3.bias": (256,)}),
        ("alex", {"0.weight": (64, 3, 11, 11), "3.weight": (192, 64, 5, 5), "10.bias": (256,)}),
        ("vgg", {"0.weight": (64, 3, 3, 3), "14.weight": (256, 256, 3, 3), "28.bias": (512,)}),
    ],
)
def test_parameters_have_the_names_and_shapes_of_torchvision(network, names) -> None:
    state = unset_features(network).state_dict()
    assert {name: tuple(state[name].shape) for name in names} == names


def test_tapped_outputs_are_those_of_the_layers_run_one_by_one() -> None:
    layers = random_features("alex")
    x = torch.rand(2, 3, 64, 64)
    outputs = tapped(layers, (1, 4), x)
    torch.testing.assert_close(outputs[0], layers[:2](x))
    torch.testing.assert_close(outputs[1], layers[:5](x))


def test_random_weights_depend_on_the_seed_alone_and_draw_from_no_global_generator() -> None:
    before = torch.get_rng_state()
    first = random_features("squeeze", seed=1)
    assert torch.equal(torch.get_rng_state(), before)
    torch.rand(5)
    again, other = random_features("squeeze", seed=1), random_features("squeeze", seed=2)
    assert torch.equal(first[0].weight, again[0].weight)
    assert not torch.equal(first[0].weight, other[0].weight)
    assert not any(parameter.requires_grad for parameter in first.parameters())


def test_features_without_loaded_weights_give_no_number() -> None:
    assert unset_features("squeeze")(torch.rand(1, 3, 32, 32)).isnan().all()


def test_published_names_end_in_the_digits_of_their_hash() -> None:
    assert {name: (entry.file, entry.hash_prefix) for name, entry in PUBLISHED.items()} == {
        "squeeze": ("squeezenet1_1-b8a52dc0.pth", "b8a52dc0"),
        "alex": ("alexnet-owt-7be5be79.pth", "7be5be79"),
        "vgg": ("vgg16-397923af.pth", "397923af"),
    }


def test_weights_of_a_file_are_loaded_in_single_precision(tmp_path: Path) -> None:
    source = random_features("squeeze", seed=4)
    path = save(random_features("squeeze", seed=4).half(), tmp_path / "squeezenet1_1_features.pth")
    assert find_weights(tmp_path, "squeeze") == path
    loaded = load_features(tmp_path, "squeeze")
    assert loaded[0].weight.dtype == torch.float32
    torch.testing.assert_close(loaded[0].weight, source[0].weight, rtol=1e-3, atol=1e-4)
    assert not any(parameter.requires_grad for parameter in loaded.parameters())


def test_a_missing_file_is_named_with_its_folder_address_hash_and_ways_out(tmp_path: Path) -> None:
    with pytest.raises(InputError) as error:
        find_weights(tmp_path, "vgg")
    wanted = (
        str(tmp_path),
        "vgg16-397923af.pth",
        PUBLISHED["vgg"].address,
        "perceptual_weights",
        "weights: random",
    )
    for part in (*wanted, "download-weights vgg"):
        assert part in str(error.value)


def test_a_damaged_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "squeezenet1_1.pth").write_bytes(b"\x80\x02not weights")
    with pytest.raises(InputError, match="damaged, or not a file of weights"):
        find_weights(tmp_path, "squeeze")


@pytest.mark.parametrize("content", [[1, 2], {"features.0.weight": 3}])
def test_a_file_of_something_else_is_refused(tmp_path: Path, content) -> None:
    torch.save(content, tmp_path / "alexnet.pth")
    with pytest.raises(InputError, match=r"alexnet\.pth: (holds no table|not the weights)"):
        find_weights(tmp_path, "alex")


def test_weights_of_another_network_are_refused_with_what_does_not_fit(tmp_path: Path) -> None:
    save(random_features("alex"), tmp_path / "squeezenet1_1.pth")
    with pytest.raises(InputError, match=r"not the weights of SqueezeNet 1\.1: features\.0\.weight"):
        find_weights(tmp_path, "squeeze")


def test_a_file_whose_name_promises_another_hash_is_refused(tmp_path: Path) -> None:
    save(random_features("squeeze"), tmp_path / PUBLISHED["squeeze"].file)
    with pytest.raises(InputError, match=r"SHA-256 begins with \w{8} and not with b8a52dc0"):
        find_weights(tmp_path, "squeeze")


def test_a_file_whose_name_promises_its_own_hash_is_accepted(tmp_path: Path) -> None:
    plain = save(random_features("squeeze"), tmp_path / "squeezenet1_1.pth")
    digest = hashlib.sha256(plain.read_bytes()).hexdigest()
    named = plain.rename(tmp_path / f"squeezenet1_1-{digest[:8]}.pth")
    assert find_weights(tmp_path, "squeeze") == named


def test_of_several_files_the_published_one_is_taken_and_else_none(tmp_path: Path) -> None:
    for name in ("vgg16_bn-6c64b313.pth", "vgg16.pth"):
        (tmp_path / name).touch()
    with pytest.raises(InputError, match=r"several files for VGG16 \(vgg16\.pth, vgg16_bn-6c64b313\.pth\)"):
        weights_file(tmp_path, "vgg")
    (tmp_path / "vgg16-397923af.pth").touch()
    assert weights_file(tmp_path, "vgg").name == "vgg16-397923af.pth"


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A file in place of SqueezeNet's published one, at a file:// address."""
    folder = tmp_path / "server"
    folder.mkdir()
    plain = save(random_features("squeeze"), folder / "plain.pth")
    digest = hashlib.sha256(plain.read_bytes()).hexdigest()
    path = plain.rename(folder / f"squeezenet1_1-{digest[:8]}.pth")
    entry = Published("SqueezeNet 1.1", "squeezenet1_1*.pth", path.as_uri(), 2.9)
    monkeypatch.setitem(pretrained.PUBLISHED, "squeeze", entry)
    return path


def test_a_download_is_checked_and_not_repeated(tmp_path: Path, server: Path) -> None:
    path = download_weights(tmp_path / "weights", "squeeze")
    assert path == tmp_path / "weights" / server.name
    assert path.read_bytes() == server.read_bytes()
    server.unlink()
    assert download_weights(tmp_path / "weights", "squeeze") == path


def test_a_download_with_another_hash_leaves_nothing_behind(tmp_path: Path, server: Path) -> None:
    server.write_bytes(server.read_bytes()[:-100])
    with pytest.raises(InputError, match=r"the download into .* failed"):
        download_weights(tmp_path / "weights", "squeeze")
    assert list((tmp_path / "weights").iterdir()) == []


def test_a_download_that_finds_no_server_says_so(tmp_path: Path, server: Path) -> None:
    server.unlink()
    with pytest.raises(InputError, match=r"the download into .* failed"):
        download_weights(tmp_path / "weights", "squeeze")
