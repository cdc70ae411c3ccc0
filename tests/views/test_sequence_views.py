"""Views of sequences and of documents keep what they are."""

import pytest
import torch

from sklearn_dim.dim._objective import make_view
from sklearn_dim.views import UNKNOWN, DropWords, ShiftAndScale


@pytest.fixture(autouse=True)
def seed():
    torch.manual_seed(0)


def test_a_shift_moves_all_channels_together_by_at_most_its_maximum():
    x = torch.randn(60, 3, 40)
    out = ShiftAndScale(reach=1 / 8, scale=0, hidden=0, noise=0)(x)
    padded = torch.nn.functional.pad(x, (5, 5), mode="replicate")
    shifts = set()
    for before, after in zip(padded, out, strict=True):
        fits = [i for i in range(11) if torch.equal(before[:, i : i + 40], after)]
        assert len(fits) == 1
        shifts |= set(fits)
    assert len(shifts) == 11


def test_each_sequence_has_one_factor():
    x = torch.tensor([1.0, -2.0])[None, :, None].expand(500, 2, 20)
    factor = ShiftAndScale(scale=0.3, hidden=0, noise=0)(x) / x
    torch.testing.assert_close(factor, factor[:, :1, :1].expand_as(factor))
    assert abs(factor[:, 0, 0].log().std() - 0.3) < 0.03


def test_a_segment_is_hidden_in_all_channels():
    out = ShiftAndScale(scale=0, hidden=0.25, noise=0)(torch.ones(400, 2, 40))
    hidden = out == 0
    assert torch.equal(hidden[:, 0], hidden[:, 1])
    widths = hidden[:, 0].sum(1)
    assert 8 <= widths.max() <= 10 and 4 < widths.float().mean() < 5.5
    steps = (hidden[:, 0, 1:] != hidden[:, 0, :-1]).sum(1)
    assert steps.max() <= 2  # one segment
    assert hidden.any(0).all()


def test_noise_has_the_scale_it_says():
    assert abs(ShiftAndScale(noise=0.5)(torch.zeros(200, 1, 20)).std() - 0.5) < 0.05


def test_words_are_dropped_or_masked_and_the_others_keep_their_order():
    x = torch.randint(1, 1000, (300, 50))
    x[:, 40:] = 0
    out = DropWords(least=0.2, most=0.8, masked=0.1)(x)
    stays = (out != 0) & (out != UNKNOWN)
    assert torch.equal(out[stays], x[stays]) and not out[:, 40:].any()
    kept = (out != 0)[:, :40].float().mean(1)
    assert abs(kept.mean() - 0.5) < 0.03 and kept.max() > 0.7 and kept.min() < 0.3
    masked = (out == UNKNOWN).sum() / (out != 0).sum()
    assert abs(masked - 0.1) < 0.02


def test_a_document_is_never_left_without_words():
    x = torch.tensor([[0, 7, 0, 9], [5, 0, 0, 0], [0, 0, 0, 0]])
    out = DropWords(least=1.0, most=1.0)(x)
    assert out.tolist() == [[0, 7, 0, 0], [5, 0, 0, 0], [0, 0, 0, 0]]


def test_auto_goes_by_the_kind_of_sample():
    assert isinstance(make_view("auto", "sequence", (3, 20)), ShiftAndScale)
    assert isinstance(make_view("auto", "tokens", (20,)), DropWords)
    with pytest.raises(ValueError, match=r"returned a batch of shape \(2, 10\)"):
        make_view(lambda x: x[:, :10], "tokens", (20,))
