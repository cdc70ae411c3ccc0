"""What `cifar10.py` needs: the images, the budget, the features of an encoder and the two probes."""

import io
import os
import pathlib
import time

import numpy as np
import torch
from sklearn.linear_model import SGDClassifier
from sklearn.preprocessing import StandardScaler
from skorch.callbacks import Callback
from torch import nn

PROBE_EPOCHS = {"conv": 50, "fc": 150, "code": 150}  # published: 150; conv is shortened, for a CPU
LAYERS = ("conv", "fc", "code")


def load_cifar10(split, limit=None, start=0):
    """Return images (n, 3, 32, 32), uint8, and labels of the JPEG copies in the folder SKLEARN_DIM_DATA."""
    try:
        from PIL import Image
    except ImportError:
        raise SystemExit("Decoding the images needs Pillow: pip install pillow") from None
    if "SKLEARN_DIM_DATA" not in os.environ:
        raise SystemExit("Set SKLEARN_DIM_DATA to the folder that holds cifar10_jpeg.npz.")
    data = np.load(pathlib.Path(os.environ["SKLEARN_DIM_DATA"]) / "cifar10_jpeg.npz")
    ends, jpeg = data[f"{split}_offsets"], data[f"{split}_jpeg"].tobytes()
    labels = data[f"{split}_labels"]
    stop = len(labels) if limit is None else min(start + limit, len(labels))
    images = [np.asarray(Image.open(io.BytesIO(jpeg[ends[i] : ends[i + 1]]))) for i in range(start, stop)]
    return np.ascontiguousarray(np.stack(images).transpose(0, 3, 1, 2)), labels[start:stop].astype(np.int64)


def clock(device):
    """Return what a budget counts: CPU seconds of the process on a CPU, seconds on anything else."""
    if torch.device(device).type == "cpu":
        return time.process_time()
    torch.cuda.synchronize()
    return time.perf_counter()


class Budget(Callback):
    """Stop training as soon as it has taken so many seconds.

    Parameters
    ----------
    seconds : float
        See `clock`.
    device : str
    """

    def __init__(self, seconds, device="cpu"):
        self.seconds = seconds
        self.device = device

    def on_train_begin(self, net, **kwargs):
        """Start the clock."""
        self.start_, self.steps_, self.spent_ = clock(self.device), 0, 0.0

    def on_batch_end(self, net, training=False, **kwargs):
        """Stop within an epoch: skorch takes a KeyboardInterrupt for the end of training."""
        self.steps_ += 1
        self.spent_ = clock(self.device) - self.start_
        if self.spent_ > self.seconds:
            net.history.record("train_loss", float("nan"))
            raise KeyboardInterrupt


def features(encoder, images, device, prepare=lambda x: x, batch_size=500):
    """Return the layers of an encoder, (map or locations, fc, code), by name, each (n, width) float32."""
    layers = {layer: [] for layer in LAYERS}
    encoder.eval()
    with torch.no_grad():
        for start in range(0, len(images), batch_size):
            batch = torch.as_tensor(images[start : start + batch_size]).to(device)
            for layer, output in zip(LAYERS, encoder(prepare(batch)), strict=True):
                layers[layer].append(output.flatten(1).cpu().numpy())
    return {layer: np.concatenate(outputs) for layer, outputs in layers.items()}


def probe(train, y_train, test, y_test, layer, *, device, seed):
    """Return the accuracies in % of the MLP of 200 units and of the linear SVM on standardised features."""
    scaler = StandardScaler(copy=False).fit(train)
    train, test = scaler.transform(train), scaler.transform(test)
    epochs = PROBE_EPOCHS[layer]
    return {
        "MLP": 100 * mlp_accuracy(train, y_train, test, y_test, epochs=epochs, device=device, seed=seed),
        "SVM": 100 * svm_accuracy(train, y_train, test, y_test, seed=seed),
    }


def mlp_accuracy(train, y_train, test, y_test, *, epochs, device, seed, batch_size=64):
    """Train the paper's probe: 200 units, BatchNorm, dropout 0.1, Adam 1e-4, times 0.1 after each third."""
    torch.manual_seed(seed)
    hidden = [nn.Linear(train.shape[1], 200), nn.BatchNorm1d(200), nn.ReLU(), nn.Dropout(0.1)]
    network = nn.Sequential(*hidden, nn.Linear(200, 10)).to(device)
    optimizer = torch.optim.Adam(network.parameters(), lr=1e-4, fused=True)
    schedule = torch.optim.lr_scheduler.MultiStepLR(optimizer, [epochs // 3, 2 * epochs // 3])
    train, y_train, test = (torch.as_tensor(array, device=device) for array in (train, y_train, test))
    for _ in range(epochs):
        for rows in torch.randperm(len(train), device=device).tensor_split(max(1, len(train) // batch_size)):
            optimizer.zero_grad()
            nn.functional.cross_entropy(network(train[rows]), y_train[rows]).backward()
            optimizer.step()
        schedule.step()
    with torch.no_grad():
        return (network.eval()(test).argmax(1).cpu().numpy() == y_test).mean()


def svm_accuracy(train, y_train, test, y_test, *, seed):
    """Train a linear SVM (hinge loss, one class against the rest, C = 1 on rows of unit mean square)."""
    root = np.float32(np.sqrt(train.shape[1]))
    svm = SGDClassifier(loss="hinge", alpha=1 / len(train), max_iter=20, tol=None, average=True, random_state=seed)
    return svm.fit(train / root, y_train).score(test / root, y_test)
