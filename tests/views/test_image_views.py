"""Views of images, and whether images may be mirrored."""

import numpy as np
import pytest
import torch
from sklearn.datasets import load_digits

from sklearn_dim.dim._objective import make_view
from sklearn_dim.views import (
    ColorJitter,
    Compose,
    Flip,
    ResizedCrop,
    ShiftAndNoise,
    mirror_asymmetry,
    mirrors,
)


@pytest.fixture
def ramp():
    """Images whose pixel is its own place: row in the first channel, column in the second, both in pixels."""
    rows, columns = torch.meshgrid(torch.arange(16.0), torch.arange(24.0), indexing="ij")
    return torch.stack([rows, columns]).expand(200, 2, 16, 24)


def test_the_whole_image_as_a_crop_is_the_image(ramp):
    torch.testing.assert_close(ResizedCrop(area=(1.0, 1.0), stretch=1.0)(ramp), ramp)


def test_a_crop_is_a_rectangle_of_the_image_stretched_evenly(ramp):
    torch.manual_seed(0)
    rows, columns = ResizedCrop(area=(0.25, 0.5), stretch=4 / 3)(ramp).unbind(1)
    torch.testing.assert_close(rows, rows[:, :, :1].expand_as(rows))  # a row's pixels come from one row
    torch.testing.assert_close(columns, columns[:, :1].expand_as(columns))
    height, width = rows[:, 8, 0] - rows[:, 7, 0], columns[:, 0, 12] - columns[:, 0, 11]  # of a pixel, in pixels
    area, stretch = height * width, width / height
    assert 0.25 - 1e-3 < area.min() < 0.3 and 0.45 < area.max() < 0.5 + 1e-3
    assert 3 / 4 - 1e-3 < stretch.min() < 0.8 and 1.25 < stretch.max() < 4 / 3 + 1e-3
    assert rows.min() < 1 and rows.max() > 14 and columns.min() < 1 and columns.max() > 22  # from everywhere
    middle = rows[:, 1:-1, 0].diff(dim=1)
    torch.testing.assert_close(middle, height[:, None].expand_as(middle), atol=1e-3, rtol=0)


def test_half_of_the_images_are_mirrored(ramp):
    torch.manual_seed(0)
    out = Flip()(ramp)
    mirrored = (out == ramp.flip(-1)).flatten(1).all(1)
    assert ((out == ramp).flatten(1).all(1) ^ mirrored).all()
    assert 70 < mirrored.sum() < 130
    assert torch.equal(Flip(chance=1.0)(ramp), ramp.flip(-1))


def test_each_colour_change_does_what_it_says():
    torch.manual_seed(0)
    x = torch.randn(500, 3, 4, 4)
    still = {"brightness": 0.0, "contrast": 0.0, "saturation": 0.0, "grey": 0.0}
    torch.testing.assert_close(ColorJitter(**still)(x), x)
    grey = ColorJitter(**{**still, "grey": 1.0})(x)
    torch.testing.assert_close(grey, x.mean(1, keepdim=True).expand_as(x))
    assert 0.1 < (ColorJitter(**{**still, "grey": 0.2})(x) != x).flatten(1).any(1).float().mean() < 0.3
    shift = (ColorJitter(**{**still, "brightness": 0.5})(x) - x).flatten(1)
    torch.testing.assert_close(shift, shift[:, :1].expand_as(shift))
    assert -0.5 <= shift.min() < -0.45 and 0.45 < shift.max() <= 0.5
    contrast = (ColorJitter(**{**still, "contrast": 0.5})(x)).std((1, 2, 3)) / x.std((1, 2, 3))
    assert 0.5 - 1e-4 < contrast.min() < 0.55 and 1.45 < contrast.max() < 1.5 + 1e-4
    paler = ColorJitter(**{**still, "saturation": 0.5})(x)
    torch.testing.assert_close(paler.mean(1), x.mean(1))
    colours = (paler - paler.mean(1, keepdim=True)).std((1, 2, 3)) / (x - x.mean(1, keepdim=True)).std((1, 2, 3))
    assert 0.5 - 1e-4 < colours.min() < 0.55 and 1.45 < colours.max() < 1.5 + 1e-4


def test_grey_images_have_no_colours_to_lose():
    x = torch.randn(20, 1, 4, 4)
    torch.testing.assert_close(ColorJitter(brightness=0.0, contrast=0.0, saturation=0.9, grey=0.5)(x), x)


def paintings(n):
    """Return digits, in one colour on black and in one colour on another."""
    digits = load_digits().images[:n, None] / 16
    ink, ground = np.random.default_rng(0).uniform(size=(2, n, 3, 1, 1))
    return torch.as_tensor(np.stack([digits * ink, digits * ink + (1 - digits) * ground]))


def test_digits_are_not_mirrored_however_they_are_painted():
    for painted in paintings(1000):
        assert mirror_asymmetry(painted) > 0.03
        assert not mirrors(painted)


def test_images_that_come_with_their_mirror_images_are_mirrored():
    painted = paintings(1000)[1]
    both = torch.where(torch.arange(1000)[:, None, None, None] % 2 == 0, painted, painted.flip(-1))
    assert abs(mirror_asymmetry(both)) < 0.005
    assert mirrors(both) and mirrors((255 * both).to(torch.uint8))
    assert not mirrors(both[:20])  # too few to tell
    assert not mirrors(torch.zeros(100, 3, 8, 8))


def test_auto_mirrors_colour_images_only_where_they_look_alike():
    painted = paintings(200)[1]
    alike = torch.cat([painted, painted.flip(-1)])
    assert not any(isinstance(step, Flip) for step in make_view("auto", "image", (3, 8, 8), painted.numpy()).steps)
    assert not any(isinstance(step, Flip) for step in make_view("auto", "image", (3, 8, 8)).steps)
    view = make_view("auto", "image", (3, 8, 8), alike.numpy())
    assert isinstance(view, Compose) and any(isinstance(step, Flip) for step in view.steps)
    assert view(alike.float()).shape == alike.shape
    assert isinstance(make_view("auto", "image", (1, 8, 8), alike[:, :1].numpy()), ShiftAndNoise)
