"""What a location and a code vector of an image encoder know of the image."""

import pytest
import torch

from sklearn_dim import DIMTransformer
from sklearn_dim.dim._objective import make_network
from sklearn_dim.encoders import ConvEncoder, FoldedResNet

LAYOUT = {"local": [(8, 4, 2, 1), (16, 4, 2, 1)], "rest": [(16, 3, 1, 1)], "fc": [20]}


def touched(function, x, row, column):
    """Return which outputs (places) change with one pixel."""
    changed = x.clone()
    changed[..., row, column] += 1
    with torch.no_grad():
        return (function(changed) - function(x)).abs().sum((0, 2)) > 0


def test_a_location_of_the_resnet_knows_its_crop_only():
    encoder = FoldedResNet((3, 16, 24), 4, crop=8).eval()
    assert encoder.places == (3, 5)
    x = torch.randn(2, 3, 16, 24)
    for row, column in [(0, 0), (7, 9), (15, 23)]:
        crops = [
            row in range(4 * i, 4 * i + 8) and column in range(4 * j, 4 * j + 8) for i in range(3) for j in range(5)
        ]
        assert touched(lambda images: encoder(images).locations, x, row, column).tolist() == crops


def test_crops_are_cut_where_they_are():
    encoder = FoldedResNet((2, 16, 24), 4, crop=8).eval()
    x = torch.randn(2, 2, 16, 24)
    third = encoder.of_a_crop(x[:, :, 4:12, 8:16])  # second row, third column
    torch.testing.assert_close(encoder(x).locations[:, 5 + 2], third, atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize("shape", [(1, 8, 8), (3, 9, 13), (1, 28, 28), (3, 32, 32), (2, 40, 64)])
def test_the_resnet_takes_any_image_from_eight_pixels(shape):
    encoder = make_network("resnet", "image", shape, 6).eval()
    encoded = encoder(torch.randn(2, *shape))
    assert encoded.code.shape == (2, 6) and encoded.fc.shape == (2, 256)
    assert encoded.locations.shape[1] >= 9 and encoded.locations.shape[2] == 64


def test_crops_that_leave_no_map_are_refused():
    with pytest.raises(ValueError, match="crops of 12 pixels leave no map of images of 16x16"):
        FoldedResNet((1, 16, 16), 4, crop=12)
    with pytest.raises(ValueError, match="encoder='resnet' is for images"):
        make_network("resnet", "table", (7,), 4)


@pytest.mark.parametrize("n_globals", [1, 4, 9])
@pytest.mark.parametrize("kind", ["conv", "resnet"])
def test_code_vectors_are_asked_for_by_number(kind, n_globals):
    make = ConvEncoder if kind == "conv" else FoldedResNet
    encoder = make((3, 24, 24), 36, n_globals=n_globals, **(LAYOUT if kind == "conv" else {})).eval()
    code = encoder(torch.randn(2, 3, 24, 24)).code
    assert code.shape == ((2, 36) if n_globals == 1 else (2, n_globals, 36 // n_globals))


def test_a_code_vector_comes_from_its_cell_by_shared_layers():
    encoder = ConvEncoder((1, 32, 32), 8, **LAYOUT, n_globals=4).eval()
    x = torch.randn(2, 1, 32, 32)
    for cell, (row, column) in enumerate([(2, 2), (2, 29), (29, 2), (29, 29)]):
        assert touched(lambda images: encoder(images).code, x, row, column).nonzero().flatten().tolist() == [cell]
    swapped = encoder.head(torch.cat([features := torch.randn(2, 16, 8, 8), features.roll(4, -1)]))[1]
    torch.testing.assert_close(swapped[:2, [1, 0, 3, 2]], swapped[2:])


@pytest.mark.parametrize("n_globals, n_components", [(2, 8), (4, 6), (100, 100)])
def test_numbers_of_code_vectors_that_do_not_fit_are_refused(n_globals, n_components):
    with pytest.raises(ValueError, match=f"n_global_vectors={n_globals} with n_components={n_components}"):
        ConvEncoder((1, 16, 16), n_components, **LAYOUT, n_globals=n_globals)


def test_the_resnet_trains():
    X = torch.randn(40, 1, 8, 8).numpy()
    dim = DIMTransformer(8, encoder="resnet", representation="code", max_iter=2, random_state=0).fit(X)
    assert dim.transform(X).shape == (40, 8)
