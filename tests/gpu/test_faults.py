"""What went wrong on a GPU once, each as a test; waits and numbers of all kinds are in test_fits.py."""

import pickle
import pickletools

import cases
import numpy as np
import pandas as pd
import pytest
import torch
from skorch.callbacks import Callback

from sklearn_dim import DGITransformer, DIMTransformer, GraphInfomaxTransformer, MutualInfoEstimator
from sklearn_dim.devices import _memory
from sklearn_dim.persistence import to_torch
from sklearn_dim.training import ResumableCheckpoint, RowBatches

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning", "ignore::UserWarning")
TINY = {"n_components": 4, "max_iter": 2, "batch_size": 20, "random_state": 0, "mixed_precision": False}


def test_a_users_encoder_may_be_on_the_gpu_already(gpu):
    for device in (gpu.device, "cpu"):
        encoder = cases.OwnEncoder((12,), 4).to(gpu.device)
        codes = DIMTransformer(**TINY, encoder=encoder, device=device).fit_transform(cases.TABLE)
        assert np.isfinite(codes).all() and next(encoder.parameters()).device.type == torch.device(gpu.device).type
    network = cases.WeightedEdgeEncoder(20, 4).to(gpu.device)
    DGITransformer(n_components=4, max_iter=2, encoder=network, device=gpu.device).fit(cases.GRAPH)
    features = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(64, 3)).to(gpu.device)
    pairs = MutualInfoEstimator(cv=2, max_iter=2, encoder=features, device=gpu.device, random_state=0)
    assert np.isfinite(pairs.fit(cases.IMAGES, cases.IMAGES.mean((1, 2, 3))).mutual_info_)


def test_an_augmentation_may_hold_tensors_of_the_gpu(gpu):
    noise = torch.ones(12).to(gpu.device)
    DIMTransformer(**TINY, augmentation=lambda x: x + noise, device=gpu.device).fit(cases.TABLE)


def test_a_pickle_has_nothing_of_the_gpu(gpu):
    encoder = cases.OwnEncoder((12,), 4).to(gpu.device)
    model = DIMTransformer(**TINY, encoder=encoder, device=gpu.device).fit(cases.TABLE)
    written = pickle.dumps(model)
    names = {argument for _, argument, _ in pickletools.genops(written) if isinstance(argument, str)}
    assert not any(torch.device(gpu.device).type in name or "Emulated" in name for name in names - {gpu.device})
    again = pickle.loads(written)
    np.testing.assert_allclose(again.transform(cases.TABLE), model.transform(cases.TABLE), atol=gpu.tolerance)
    assert next(encoder.parameters()).device.type == torch.device(gpu.device).type  # the user's own stays


def test_what_was_trained_on_the_gpu_is_exported_and_trains_on(gpu):
    model = DIMTransformer(**TINY, device=gpu.device, warm_start=True).fit(cases.TABLE)
    module = to_torch(model)
    assert {tensor.device.type for tensor in module.state_dict().values()} == {"cpu"}
    with torch.no_grad():
        codes = module(torch.as_tensor(cases.TABLE)).numpy()
    np.testing.assert_allclose(codes, model.transform(cases.TABLE), atol=10 * gpu.tolerance)
    model.fit(cases.TABLE).partial_fit(cases.TABLE)
    assert model.n_iter_ == 5
    gpu.check_steps()


class Stop(Exception):
    """Ends a training."""


class StopAt(Callback):
    """Ends a training in an epoch."""

    def __init__(self, epoch):
        self.epoch = epoch

    def on_epoch_end(self, net, **kwargs):
        if len(net.history) == self.epoch:
            raise Stop


@pytest.mark.parametrize("cls", [DIMTransformer, DGITransformer])
def test_a_training_on_the_gpu_is_resumed_where_it_stopped(gpu, cls, tmp_path):
    X = cases.TABLE if cls is DIMTransformer else cases.GRAPH
    options = {"n_components": 4, "max_iter": 4, "random_state": 0, "device": gpu.device, "early_stopping": True}
    whole = cls(**options).fit(X).transform(X)
    with pytest.raises(Stop):
        cls(**options, callbacks=[ResumableCheckpoint(tmp_path), StopAt(2)]).fit(X)
    assert list(tmp_path.iterdir())
    resumed = cls(**options, callbacks=[ResumableCheckpoint(tmp_path), StopAt(9)]).fit(X)
    np.testing.assert_allclose(resumed.transform(X), whole, atol=gpu.tolerance)
    assert not list(tmp_path.iterdir())


READ_ONLY = pd.DataFrame(cases.TABLE).to_numpy().copy()
READ_ONLY.flags.writeable = False
ON_HOST = {
    "float64": cases.TABLE.astype(float),
    "read-only": READ_ONLY,
    "CSR": cases.SIGNED.tocsr(),
}


@pytest.mark.parametrize("name", ON_HOST)
@pytest.mark.parametrize("fits", [True, False])
def test_rows_live_on_the_gpu_where_they_fit_and_are_the_same_where_not(gpu, name, fits, monkeypatch, capsys):
    monkeypatch.setattr(_memory, "free_bytes", lambda device: 10**9 if fits else 100)
    X = ON_HOST[name]
    options = {"rows": [4, 0, 3, 9, 7], "batch_size": 3, "shuffle": False, "verbose": 1}
    batches = RowBatches(X, device=gpu.device, **options)
    assert batches.arrays[0].on_device == fits
    assert ("stays in the host's memory" in capsys.readouterr().out) == (not fits)
    for (found,), (expected,) in zip(batches, RowBatches(X, **options), strict=True):
        assert found.device.type == torch.device(gpu.device).type
        assert torch.equal(found.cpu(), expected)


@pytest.mark.parametrize("name", ["bag", "sparse table", "table far from zero", "table in float64"])
def test_no_step_waits_where_data_stay_on_the_host(gpu, name, monkeypatch):
    fit = (cases.FEW | cases.MANY)[name]
    expected = fit("cpu")
    monkeypatch.setattr(_memory, "free_bytes", lambda device: 100)
    np.testing.assert_allclose(fit(gpu.device), expected, atol=30 * gpu.tolerance)
    gpu.check_steps()


def test_sparse_rows_of_a_batch_are_the_same_on_the_gpu(gpu):
    options = {"rows": [4, 0, 3, 9, 7], "batch_size": 3, "shuffle": False, "sparse": True}
    for (found,), (expected,) in zip(
        RowBatches(cases.BAG, device=gpu.device, **options), RowBatches(cases.BAG, **options), strict=True
    ):
        assert found.is_sparse and torch.equal(found.indices().cpu(), expected.indices())
        assert torch.equal(found.values().cpu(), expected.values())


def test_mixed_precision_trains_in_bfloat16(gpu):
    for X in (cases.IMAGES, cases.TABLE):
        model = DIMTransformer(**{**TINY, "mixed_precision": True}, device=gpu.device).fit(X)
        assert np.isfinite(model.transform(X)).all() and model.net_.autocast == torch.bfloat16
    gpu.check_steps()


def test_graphs_of_several_sizes_are_not_asked_for_them(gpu):
    GraphInfomaxTransformer(n_components=4, max_iter=3, batch_size=3, device=gpu.device).fit(cases.GRAPHS)
    gpu.check_steps()
