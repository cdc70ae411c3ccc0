"""Deep InfoMax as published, in plain torch: the peer that `cifar10.py` compares with.

Written as the reference code is (Hjelm et al., ICLR 2019): its shapes, its masks and its full tables, on purpose. For
InfoNCE every one of the N·L joint pairs gets a row of all N·L + 1 scores. Nothing of sklearn_dim is used.
"""

import math

import torch
import torch.nn.functional as F
from torch import nn


class PublishedEncoder(nn.Module):
    """Convolutions of 64, 128 (the local map) and 256 channels, fc of 1024 units, a code of 64, for 32 × 32 images."""

    def __init__(self, n_components=64):
        super().__init__()
        self.local = nn.Sequential(*convolution(3, 64), *convolution(64, 128))
        self.rest = nn.Sequential(*convolution(128, 256), nn.Flatten())
        self.fc = nn.Sequential(nn.Linear(256 * 4 * 4, 1024, bias=False), nn.BatchNorm1d(1024), nn.ReLU())
        self.code = nn.Linear(1024, n_components)

    def forward(self, x):
        """Return the local map (N, 128, 8, 8), fc (N, 1024) and the code (N, n_components)."""
        feature_map = self.local(x)
        fc = self.fc(self.rest(feature_map))
        return feature_map, fc, self.code(fc)


def convolution(inputs, outputs):
    """Return the layers that halve an image."""
    return nn.Conv2d(inputs, outputs, 4, stride=2, padding=1, bias=False), nn.BatchNorm2d(outputs), nn.ReLU()


class EncodeLocations(nn.Module):
    """One side of the encode-and-dot critic: 1 × 1 convolutions, a linear shortcut and LayerNorm."""

    def __init__(self, inputs, units):
        super().__init__()
        self.nonlinear = nn.Sequential(
            nn.Conv1d(inputs, units, 1, bias=False), nn.BatchNorm1d(units), nn.ReLU(), nn.Conv1d(units, units, 1)
        )
        self.shortcut = nn.Conv1d(inputs, units, 1)
        self.norm = nn.LayerNorm(units)
        identity = torch.eye(units, inputs, dtype=torch.bool)[:, :, None]
        self.shortcut.weight.data.uniform_(-0.01, 0.01).masked_fill_(identity, 1.0)

    def forward(self, x):
        """Encode (N, inputs, locations) as (N, units, locations)."""
        h = self.nonlinear(x) + self.shortcut(x)
        return self.norm(h.permute(0, 2, 1)).permute(0, 2, 1)


class PublishedDIM(nn.Module):
    """DIM(L): encoder, critic, discriminator and their two losses.

    Parameters
    ----------
    measure : {"jsd", "infonce"}
    units : int, default=2048
    prior_weight : float, default=0.1
    """

    def __init__(self, measure="jsd", units=2048, prior_weight=0.1):
        super().__init__()
        self.encoder = PublishedEncoder()
        self.locals, self.globals = EncodeLocations(128, units), EncodeLocations(64, units)
        self.discriminator = nn.Sequential(
            nn.Linear(64, 1000), nn.ReLU(), nn.Linear(1000, 200), nn.ReLU(), nn.Linear(200, 1)
        )
        self.loss = {"jsd": jsd_loss, "infonce": infonce_loss}[measure]
        self.prior_weight = prior_weight

    def forward(self, x):
        """Return the encoder's and the discriminator's loss."""
        feature_map, _, code = self.encoder(x)
        information = self.loss(self.locals(feature_map.flatten(2)), self.globals(code[:, :, None]))
        code = torch.sigmoid(code)
        real, fake = self.discriminator(torch.rand_like(code)), self.discriminator(code.detach())
        discriminator = F.softplus(-real).mean() + F.softplus(fake).mean()
        prior = F.softplus(-self.discriminator(code)).mean()
        return information + self.prior_weight * prior, discriminator


def jsd_loss(local, glob):
    """Return minus the Jensen–Shannon objective of local (N, units, L) and global (N, units, 1) encodings."""
    n, units, n_locals = local.shape
    table = glob.permute(0, 2, 1).reshape(-1, units) @ local.permute(0, 2, 1).reshape(-1, units).t()
    table = table.reshape(n, 1, n, n_locals).permute(0, 2, 3, 1)
    mask = torch.eye(n, device=local.device)
    positive = (math.log(2.0) - F.softplus(-table)).mean(2).mean(2)
    negative = (F.softplus(-table) + table - math.log(2.0)).mean(2).mean(2)
    return (negative * (1 - mask)).sum() / (1 - mask).sum() - (positive * mask).sum() / mask.sum()


def infonce_loss(local, glob):
    """Return minus InfoNCE of local (N, units, L) and global (N, units, 1) encodings."""
    n, units, n_locals = local.shape
    local, glob_rows = local.permute(0, 2, 1), glob.permute(0, 2, 1)
    positive = torch.matmul(local, glob).unsqueeze(2)
    negative = glob_rows.reshape(-1, units) @ local.reshape(-1, units).t()
    negative = negative.reshape(n, 1, n, n_locals).permute(0, 2, 3, 1)
    mask = torch.eye(n, device=local.device)[:, :, None, None]
    negative = (1 - mask) * negative - 10.0 * mask  # as there: own locations are lowered, not left out
    negative = negative.reshape(n, n * n_locals, 1).unsqueeze(1).expand(-1, n_locals, -1, -1)
    logits = torch.cat([positive, negative], dim=2)
    return -F.log_softmax(logits, dim=2)[:, :, 0].mean()


class PublishedTraining:
    """Adam as published, one optimiser for encoder and critic and one for the discriminator.

    Parameters
    ----------
    measure : {"jsd", "infonce"}
    seed : int
    device : str
    """

    def __init__(self, measure, seed, device):
        torch.manual_seed(seed)
        self.model = PublishedDIM(measure).to(device)
        adversary = list(self.model.discriminator.parameters())
        others = [weight for name, weight in self.model.named_parameters() if not name.startswith("discriminator")]
        self.optimizers = [torch.optim.Adam(group, lr=1e-4, betas=(0.5, 0.999)) for group in (others, adversary)]

    def step(self, images):
        """Train on a batch of uint8 images (N, 3, 32, 32)."""
        x = images.float() / 127.5 - 1
        loss, discriminator = self.model(x)
        for optimizer in self.optimizers:
            optimizer.zero_grad()
        loss.backward(retain_graph=True)
        self.optimizers[1].zero_grad()  # what the encoder's loss left there
        discriminator.backward()
        for optimizer in self.optimizers:
            optimizer.step()
        return loss.detach()

    def epoch(self, images, batch_size=64):
        """Yield after each batch of a shuffled pass."""
        self.model.train()
        order = torch.randperm(len(images), device=images.device)
        for start in range(0, len(images) - batch_size + 1, batch_size):  # the last batch is dropped
            yield self.step(images[order[start : start + batch_size]])
