"""Images as (n_samples, channels, height, width), however they are given."""

import math
from functools import partial
from numbers import Integral

import numpy as np
from scipy.sparse import issparse

from sklearn_dim.data._datasets import DatasetRows

CHANNELS = (1, 3, 4)  # grey, colours, colours and transparency: an axis of such a length looks like channels


def channels_first(X, channels: str):
    """Return images with their channels first."""
    shape = X.shape
    last = channels == "last" or (channels == "auto" and shape[3] in CHANNELS and shape[1] not in CHANNELS)
    return _rearranged(X, partial(np.moveaxis, source=3, destination=1)) if last else X


def as_images(X, image_shape, channels: str):
    """Return flat rows as images of ``image_shape``; images must have that shape already."""
    image_shape = tuple(image_shape)
    if len(image_shape) != 3 or not all(isinstance(side, Integral) and int(side) > 0 for side in image_shape):
        raise ValueError(
            f"image_shape={image_shape} is not three positive integers (channels, height, width). Grey images have one "
            "channel: (1, height, width)."
        )
    return _rearranged(X, partial(_batch_as_images, image_shape=image_shape, channels=channels))


def _rearranged(X, step):
    return X.rearranged(step) if isinstance(X, DatasetRows) else step(X)


def _batch_as_images(X, image_shape, channels):
    if X.ndim == 2:
        if X.shape[1] != math.prod(image_shape):
            raise ValueError(
                f"image_shape={image_shape} means rows of {math.prod(image_shape)} numbers, but X has {X.shape[1]} "
                "features. Give image_shape as (channels, height, width)."
            )
        X = X.toarray() if issparse(X) else X
        last = (*image_shape[1:], image_shape[0])
        X = X.reshape(-1, *image_shape) if channels != "last" else np.moveaxis(X.reshape(-1, *last), 3, 1)
    if X.shape[1:] != image_shape:
        raise ValueError(
            f"image_shape={image_shape}, but X has images of shape {X.shape[1:]}. Leave image_shape=None for X of four "
            "dimensions, or make them agree."
        )
    return X
