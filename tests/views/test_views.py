"""Views keep what the samples are."""

import pytest
import torch

from sklearn_dim.dim._objective import make_view
from sklearn_dim.views import DropValues, MaskColumns, Occlude, ResampleFeatures, ShiftAndNoise, View


def test_a_shift_moves_the_whole_image_by_at_most_its_maximum():
    torch.manual_seed(0)
    x = torch.randn(40, 2, 16, 16)
    out = ShiftAndNoise(reach=1 / 8, noise=0.0)(x)
    padded = torch.nn.functional.pad(x, (2, 2, 2, 2), mode="replicate")
    corners = set()
    for before, after in zip(padded, out, strict=True):
        fits = [(i, j) for i in range(5) for j in range(5) if torch.equal(before[:, i : i + 16, j : j + 16], after)]
        assert len(fits) == 1
        corners |= set(fits)
    assert len(corners) > 10


def test_noise_has_the_scale_it_says():
    noise = ShiftAndNoise(noise=0.5)(torch.zeros(50, 1, 8, 8))
    assert abs(noise.std() - 0.5) < 0.05


def test_resampling_takes_features_from_other_rows_of_the_same_column():
    torch.manual_seed(0)
    x = torch.arange(200.0).view(50, 4)
    out = ResampleFeatures(share=0.3)(x)
    assert torch.equal(out % 4, x % 4)  # a column's values stay in it
    changed = (out != x).float().mean().item()
    assert 0.2 < changed < 0.4


def test_columns_are_masked_as_one_and_taken_from_other_rows_if_they_cannot_be():
    torch.manual_seed(0)
    x = torch.arange(2000.0).view(500, 4)
    out = MaskColumns([0, 0, 1, 1], [-1.0, -2.0, float("nan"), float("nan")], share=0.3)(x)
    masked, replaced = out[:, 0] == -1, out[:, 2] != x[:, 2]
    assert torch.equal(out[:, 1] == -2, masked) and torch.equal(out[~masked, :2], x[~masked, :2])
    assert torch.equal(out[:, 2] + 1, out[:, 3])  # features of a column come from one row
    for changed in (masked, replaced):
        assert abs(changed.float().mean() - 0.3) < 0.08  # 4 standard errors
    assert 0.04 < (masked & replaced).float().mean() < 0.14  # columns are drawn independently


def test_dropped_values_are_made_up_for_by_the_others():
    torch.manual_seed(0)
    x = torch.where(torch.rand(50, 40) < 0.5, torch.rand(50, 40) + 1, 0.0)
    out = DropValues(share=0.25)(x.to_sparse()).to_dense()
    kept = out > 0
    torch.testing.assert_close(out[kept], x[kept] / 0.75)
    assert not kept[x == 0].any() and abs(kept.sum() / (x > 0).sum() - 0.75) < 0.06  # 4 standard errors
    assert ((DropValues()(x) == 0) >= (x == 0)).all()


def test_auto_goes_by_the_kind_of_sample():
    assert isinstance(make_view("auto", "image", (1, 8, 8)), ShiftAndNoise)
    assert isinstance(make_view("auto", "table", (5,)), ResampleFeatures)
    assert isinstance(make_view("auto", "bag", (5,)), DropValues)
    assert make_view(None, "table", (5,)) is None


def test_occlusion_hides_one_block_of_the_right_size():
    torch.manual_seed(0)
    hidden = Occlude(0.25)(torch.ones(200, 2, 16, 12)) == 0
    assert torch.equal(hidden[:, 0], hidden[:, 1])  # in all channels
    rows, columns = hidden[:, 0].any(2), hidden[:, 0].any(1)
    assert torch.equal(hidden[:, 0], rows[:, :, None] & columns[:, None, :])
    assert (rows.sum(1) == 8).all() and (columns.sum(1) == 6).all()  # half of each side, a quarter of the area
    assert (rows.int().diff(dim=1).abs().sum(1) <= 2).all()  # one segment
    assert len({tuple(row.tolist()) for row in rows}) == 16 - 8 + 1  # anywhere
    assert ((Occlude(0.25)(torch.ones(9, 3, 40)) == 0).sum((1, 2)) == 3 * 10).all()
    assert abs((Occlude(0.25)(torch.ones(200, 50)) == 0).float().mean() - 0.25) < 4 * 0.0043  # binomial


def test_a_view_says_whether_it_takes_sparse_rows():
    assert DropValues().takes_sparse and not ResampleFeatures().takes_sparse
    with pytest.raises(NotImplementedError, match="View has no __call__"):
        View()(torch.zeros(2, 3))
