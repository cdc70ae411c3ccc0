"""Features that need no training: dilated kernels of sequences, similarities of rows; their formulas in plain NumPy."""

import copy
import itertools
import pickle

import numpy as np
import pytest
import torch
from sklearn.metrics.pairwise import rbf_kernel

from sklearn_dim.encoders import DilatedKernels, FixedFeatures, KernelMap
from sklearn_dim.encoders._kernels import MARGIN, _subsets


def fitted(make, *shape, seed=0, **parameters):
    torch.manual_seed(seed)
    x = torch.randn(*shape)
    return make(**parameters).fit(x), x


def kernels():
    """Return the 84 kernels of nine taps: −1, and 2 at three of them."""
    rows = []
    for taps in itertools.combinations(range(9), 3):
        rows.append(np.where(np.isin(np.arange(9), taps), 2.0, -1.0))
    return np.array(rows)


def response(x, kernel, dilation, padded):
    """Return a kernel's response to one channel."""
    reach = 4 * dilation
    inner = range(len(x)) if padded or len(x) <= 2 * reach else range(reach, len(x) - reach)
    values = np.pad(x, reach)
    return np.array([values[t : t + 2 * reach + 1 : dilation] @ kernel for t in inner])


def test_shares_are_those_of_the_formula():
    features, x = fitted(DilatedKernels, 20, 1, 40, n_features=84 * 6, n_dilations=3)
    got = features(x).numpy()
    dilations = features.dilations.tolist()
    assert dilations == [1, 2, 4]
    column = 0
    for difference, dilation in itertools.product((False, True), dilations):
        rows = np.diff(x[:, 0].numpy()) if difference else x[:, 0].numpy()
        i = difference * len(dilations) + dilations.index(dilation)
        for padded in (True, False):
            own = kernels()[::2] if padded else kernels()[1::2]
            thresholds = features.thresholds[i].chunk(2)[0 if padded else 1].numpy()
            weights = features.weights[i][0 if padded else 1 :: 2].numpy()
            for threshold in thresholds.T:
                for kernel, weight, t in zip(own, weights, threshold, strict=True):
                    unit = weight[0] / kernel[0]  # the weights are in units of the margin around a threshold
                    responses = np.array([response(row, unit * kernel, dilation, padded) for row in rows[:3]])
                    expected = (np.clip(responses - t, -0.5, 0.5) + 0.5).mean(1)
                    np.testing.assert_allclose(got[:3, column], expected, atol=1e-4)
                    column += 1
    assert column == got.shape[1]


def test_thresholds_are_quantiles_and_the_margin_is_a_fraction_of_a_deviation():
    features, x = fitted(DilatedKernels, 20, 1, 60, n_features=84 * 8, n_dilations=2)
    shares = features(x)
    assert shares.min() >= 0 and shares.max() <= 1
    assert shares.mean().item() == pytest.approx(0.5, abs=0.05)  # quantiles are spread evenly
    first, _ = features._responses(x, 0)
    np.testing.assert_allclose(first.std((0, 2)) * MARGIN, 1, rtol=1e-3)


def test_a_constant_and_a_shift_do_not_matter_where_kernels_fit_in():
    features, x = fitted(DilatedKernels, 10, 2, 80)
    inside = features._responses(x, 0)[1]
    np.testing.assert_allclose(features._responses(x + 3, 0)[1], inside, atol=2e-3)
    constant = features(torch.full((2, 2, 80), 1.7))
    assert torch.isfinite(constant).all()


def test_each_row_has_its_features_however_many_there_are():
    features, x = fitted(DilatedKernels, 50, 3, 100)
    together = features(x)
    np.testing.assert_allclose(torch.cat([features(row[None]) for row in x]), together, atol=1e-5)


@pytest.mark.parametrize("shape", [(5, 1, 8), (2, 1, 9), (4, 30, 12), (3, 1, 3000)])
def test_any_length_and_any_number_of_channels(shape):
    features, x = fitted(DilatedKernels, *shape)
    assert torch.isfinite(features(x)).all()
    assert torch.isfinite(DilatedKernels().fit(torch.zeros(shape))(x)).all()


def test_subsets_of_channels_are_not_empty_and_vary():
    torch.manual_seed(0)
    subsets = _subsets(500, 12)
    assert set(subsets.unique().tolist()) == {0.0, 1.0}
    sizes = subsets.sum(1)
    assert sizes.min() == 1 and sizes.max() <= 9 and len(sizes.unique()) > 4
    assert (subsets.mean(0) > 0.1).all()
    assert (_subsets(84, 1) == 1).all()


def test_inner_products_are_the_kernel():
    features, x = fitted(KernelMap, 60, 5)
    got = features(x)
    expected = rbf_kernel(x.clamp(-3, 3).numpy(), gamma=1 / 5)
    np.testing.assert_allclose(got @ got.T, expected, atol=0.02)  # of eigenvalues below a thousandth, nothing is kept
    assert np.abs((got @ got.T).numpy() - expected).mean() < 2e-3


def test_landmarks_are_training_rows_and_may_occur_twice():
    features, x = fitted(KernelMap, 400, 3, n_landmarks=50)
    assert features.landmarks.shape == (50, 3) and features(x).shape == (400, 50)
    assert all((x.clamp(-3, 3) == row).all(1).any() for row in features.landmarks)
    twice = KernelMap().fit(torch.ones(30, 4))
    assert torch.isfinite(twice(torch.randn(5, 4))).all()


def test_rows_far_away_are_clipped():
    features, _ = fitted(KernelMap, 50, 2)
    torch.testing.assert_close(features(torch.full((1, 2), 1e6)), features(torch.full((1, 2), 3.0)))


@pytest.mark.parametrize("make, shape", [(DilatedKernels, (10, 2, 30)), (KernelMap, (30, 4))])
def test_copies_and_the_seed(make, shape):
    features, x = fitted(make, *shape)
    expected = features(x)
    for other in (pickle.loads(pickle.dumps(features)), copy.deepcopy(features), fitted(make, *shape)[0]):
        torch.testing.assert_close(other(x), expected, atol=0, rtol=0)
    assert copy.deepcopy(features).double()(x.double()).dtype == torch.float64
    state = features.__getstate__()
    assert set(state) == {"settings", "arrays", "modules"}
    assert all(isinstance(array, np.ndarray) for array in state["arrays"].values())


def test_the_protocol_says_what_is_missing():
    for call in (FixedFeatures().fit, FixedFeatures()):
        with pytest.raises(NotImplementedError, match="FixedFeatures has no f"):
            call(torch.zeros(2, 3))
