"""A first layer for images that needs no training: whitened patches as filters (Coates & Ng, ICML 2011)."""

import torch
from torch import Tensor, nn
from torch.nn.functional import adaptive_avg_pool2d, avg_pool2d, conv2d


class WhitenedPatches(nn.Module):
    def __init__(self, image_shape, n_filters=200, *, patch=6, grid=2, stride=1, shrink=None, threshold=0.5,
                 whitening=0.1, contrast=0.01, two_sided=True):
        super().__init__()
        channels, height, width = image_shape
        side = min(height, width)
        self.shrink = max(1, side // 32) if shrink is None else shrink
        self.patch, self.grid, self.stride, self.two_sided = patch, grid, stride, two_sided
        self.threshold, self.whitening, self.contrast = threshold, whitening, contrast
        self.register_buffer("filters", torch.zeros(n_filters, channels, patch, patch))
        self.register_buffer("bias", torch.zeros(n_filters))

    @torch.no_grad()
    def fit(self, x, n_patches=20000):
        x = self._shrunk(x)
        K, C, p, _ = self.filters.shape
        n = max(n_patches, K)
        P = self._drawn(x, n, p).flatten(1)
        P = P - P.mean(1, keepdim=True)
        P = P / (P.square().mean(1, keepdim=True) + self.contrast).sqrt()
        mean = P.mean(0)
        P = (P - mean).double()
        values, vectors = torch.linalg.eigh(P.T @ P / len(P))
        whiten = (vectors * (values.clamp(min=0) + self.whitening).rsqrt()) @ vectors.T
        D = P[:K] @ whiten
        D = D / D.norm(dim=1, keepdim=True).clamp(min=1e-6)
        F = D @ whiten
        F = F.float()
        self.bias.copy_(-(F @ mean))
        F = F - F.mean(1, keepdim=True)
        self.filters.copy_(F.view_as(self.filters))
        return self

    def _drawn(self, x, n, p):
        image = torch.randint(len(x), (n,))
        top = torch.randint(x.shape[2] - p + 1, (n,))
        left = torch.randint(x.shape[3] - p + 1, (n,))
        a = torch.arange(p)
        return x[image[:, None, None], :, (top[:, None] + a)[:, :, None], (left[:, None] + a)[:, None, :]].permute(0, 3, 1, 2)

    def _shrunk(self, x):
        return avg_pool2d(x, self.shrink) if self.shrink > 1 else x

    @torch.no_grad()
    def maps(self, x):
        x = self._shrunk(x)
        p = self.patch
        mean = avg_pool2d(x.mean(1, keepdim=True), p, self.stride)
        square = avg_pool2d(x.square().mean(1, keepdim=True), p, self.stride)
        scale = ((square - mean.square()).clamp(min=0) + self.contrast).rsqrt()
        z = conv2d(x, self.filters, stride=self.stride).mul_(scale).add_(self.bias[:, None, None])
        return z

    def forward(self, x, chunk=16):
        out = []
        for part in x.split(chunk):
            z = self.maps(part.contiguous(memory_format=torch.channels_last))
            if self.two_sided:
                pos = adaptive_avg_pool2d((z - self.threshold).clamp_(min=0), self.grid).flatten(1)
                neg = adaptive_avg_pool2d(z.neg_().sub_(self.threshold).clamp_(min=0), self.grid).flatten(1)
                out.append(torch.cat([pos, neg], 1))
            else:
                out.append(adaptive_avg_pool2d(z.sub_(self.threshold).clamp_(min=0), self.grid).flatten(1))
        return torch.cat(out)
