"""The paper's CIFAR-10 table for `gpu.py`: training until the time is over, and probes trained on the device."""

import time

import torch
from _cifar10 import LAYERS
from _gpu_steps import Captured, is_cuda
from skorch.callbacks import Callback
from torch import nn

from sklearn_dim import DIMTransformer

PUBLISHED = {"jsd": "73.25 / 73.62 / 66.96", "infonce": "75.21 / 75.57 / 69.13"}  # MLP: conv, fc, code; 1000 epochs
PUBLISHED_SVM = {"jsd": "63.25 / 54.06 / 49.62"}
PROBE_EPOCHS = 150  # as published


class Deadline(Callback):
    """End training with the epoch after which another would take longer than there is time.

    Parameters
    ----------
    seconds : float
    """

    def __init__(self, seconds):
        self.seconds = seconds

    def on_train_begin(self, net, **kwargs):
        """Start the clock."""
        self.start_ = self.last_ = time.perf_counter()

    def on_epoch_end(self, net, **kwargs):
        """Look at the clock; the epoch's losses have been fetched, so the device is done."""
        now = time.perf_counter()
        if now - self.start_ + (now - self.last_) > self.seconds:
            net.stop_after_epoch()
        self.last_ = now


def paper_row(images, bound, device, *, seconds, epochs, probe_epochs=PROBE_EPOCHS, **arguments):
    """Return a row: epochs, seconds, and the probes' accuracies beside the published ones."""
    (train, y_train), (test, y_test) = images
    batch_size = arguments.setdefault("batch_size", 64)
    train, y_train = (array[: len(train) // batch_size * batch_size] for array in (train, y_train))  # of one size
    start = time.perf_counter()
    dim = DIMTransformer.published(
        mi_estimator=bound, max_iter=epochs, device=device, random_state=0, callbacks=[Deadline(seconds)], **arguments
    ).fit(train)
    spent = time.perf_counter() - start
    scores = probes(dim, (train, y_train), (test, y_test), device, probe_epochs)
    row = {"epochs": dim.n_iter_, "s": round(spent), "loss": round(dim.loss_curve_[-1], 4),
           "nats": round(dim.mutual_info_, 3)}  # fmt: skip
    for judge in ("MLP", "SVM"):
        row[f"{judge}: conv / fc / code"] = " / ".join(f"{scores[layer, judge]:.2f}" for layer in LAYERS)
    return row | {"published MLP": PUBLISHED[bound], "published SVM": PUBLISHED_SVM.get(bound, "")}


def probes(dim, train, test, device, epochs):
    """Return the accuracies in % by layer and judge, on features standardised by the training rows."""
    (train, y_train), (test, y_test) = train, test
    y_train, y_test = (torch.as_tensor(y, device=device) for y in (y_train, y_test))
    scores = {}
    for index, layer in enumerate(LAYERS):
        x_train, x_test = (encoded(dim.net_.module_.encoder, X, index, device) for X in (train, test))
        mean, scale = x_train.mean(0), x_train.std(0).clamp(min=1e-6)
        x_train.sub_(mean).div_(scale)
        x_test.sub_(mean).div_(scale)
        scores[layer, "MLP"] = 100 * mlp_accuracy(x_train, y_train, x_test, y_test, epochs)
        scores[layer, "SVM"] = 100 * svm_accuracy(x_train, y_train, x_test, y_test)
    return scores


@torch.no_grad()
def encoded(encoder, images, index, device, batch_size=1000):
    """Return one layer of images, flat, on the device."""
    parts = torch.as_tensor(images).split(batch_size)
    return torch.cat([encoder.eval()(part.to(device))[index].flatten(1) for part in parts])


def mlp_accuracy(train, y_train, test, y_test, epochs, batch_size=64):
    """Train the paper's probe: 200 units, BatchNorm, dropout 0.1, Adam 1e-4, times 0.1 after each third.

    On CUDA a step is captured once and replayed: it is far too small for the host to launch one by one.
    """
    device, batch_size = train.device, min(batch_size, len(train))
    torch.manual_seed(0)
    hidden = [nn.Linear(train.shape[1], 200), nn.BatchNorm1d(200), nn.ReLU(), nn.Dropout(0.1)]
    network = nn.Sequential(*hidden, nn.Linear(200, 10)).to(device)
    optimizer = torch.optim.Adam(
        network.parameters(), lr=torch.tensor(1e-4, device=device), fused=True, capturable=is_cuda(device)
    )
    rate = optimizer.param_groups[0]["lr"]  # a tensor, which a captured step reads anew

    def step(batch):
        optimizer.zero_grad()
        nn.functional.cross_entropy(network(train[batch[0]]), y_train[batch[0]]).backward()
        optimizer.step()

    step = Captured(step) if is_cuda(device) else step
    whole = len(train) // batch_size * batch_size
    for epoch in range(epochs):
        if epoch in (epochs // 3, 2 * epochs // 3):
            rate.mul_(0.1)
        for rows in torch.randperm(len(train), device=device)[:whole].view(-1, batch_size):
            step((rows,))
    with torch.no_grad():
        return (network.eval()(test).argmax(1) == y_test).float().mean().item()


def svm_accuracy(train, y_train, test, y_test, iterations=200):
    """Train a linear SVM: squared hinge loss, one class against the rest, C = 1 on rows of unit mean square."""
    root = train.shape[1] ** 0.5
    signs = 2.0 * nn.functional.one_hot(y_train, 10) - 1
    weight = torch.zeros(train.shape[1], 10, device=train.device, requires_grad=True)
    bias = torch.zeros(10, device=train.device, requires_grad=True)
    optimizer = torch.optim.LBFGS([weight, bias], max_iter=iterations, history_size=20, line_search_fn="strong_wolfe")

    def loss():
        optimizer.zero_grad()
        margin = signs * (train @ (weight / root) + bias)
        value = weight.square().sum() / 2 + (1 - margin).clamp(min=0).square().sum()
        value.backward()
        return value

    optimizer.step(loss)
    with torch.no_grad():
        return ((test @ (weight / root) + bias).argmax(1) == y_test).float().mean().item()
