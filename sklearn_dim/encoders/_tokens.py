"""An encoder for documents given as word numbers (after IS-BERT, Zhang et al., EMNLP 2020)."""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from sklearn_dim._arguments import checked
from sklearn_dim.encoders._base import Encoded, SampleEncoder, batch_normed
from sklearn_dim.encoders._word_axes import WordAxes

SPREAD = 0.3  # standard deviation of the vectors that training starts from, where they are axes
TINY = 1e-6  # stands for a total weight of 0, so that a document or segment without words has a mean of 0


@checked(
    vocabulary_size="[1, inf)", n_components="[1, inf)", n_locations="[1, inf)", width="[1, inf)", hidden="[1, inf)"
)
class TokenEncoder(SampleEncoder):
    """Words have vectors; a document's locations are the weighted means of its segments, and its mean gives the code.

    A document is its nonzero words in order, wherever the zeros are: padding does not count, and each location lies on
    words. A document without words has the code of a vector of zeros.

    Parameters
    ----------
    vocabulary_size : int
        One more than the largest word number. All other numbers, negative ones too, are the one unknown word.
    n_components : int
        Width of the code.
    n_locations : int, default=8
        Number of equal segments into which a document is cut, however many words it has.
    width : int, default=128
        Width of a word's vector, and of a location.
    hidden : int, default=256
        Units of the hidden layer.
    weight : array-like of shape (vocabulary_size,), default=None
        Weight of each word number in a mean of words; that of 0 is ignored. The unknown word gets the smallest. By
        default all words weigh the same.
    """

    word_weight: Tensor

    def __init__(
        self,
        vocabulary_size: int,
        n_components: int,
        *,
        n_locations: int = 8,
        width: int = 128,
        hidden: int = 256,
        weight: Any = None,
    ):
        super().__init__()
        self.n_locations, self.vocabulary_size = n_locations, vocabulary_size
        self.words = nn.Embedding(vocabulary_size + 1, width)
        nn.init.normal_(self.words.weight, std=0.1)  # small, so that Adam's steps are large relative to it
        self.norm = nn.BatchNorm1d(width)
        self.fc = batch_normed(nn.Linear(width, hidden, bias=False), hidden, nn.BatchNorm1d)
        self.code = nn.Linear(hidden, n_components)
        self.shortcut = nn.Linear(width, n_components, bias=False)
        word_weight = torch.ones(vocabulary_size + 1)
        word_weight[0] = 0
        if weight is not None:
            weight = torch.as_tensor(weight)
            word_weight[1:-1] = weight[1:]
            word_weight[-1] = weight[1:].min()
        self.register_buffer("word_weight", word_weight)

    @property
    def width(self) -> int:
        """Width of a word's vector."""
        return self.words.embedding_dim

    @torch.no_grad()
    def start_from(self, axes: WordAxes) -> None:
        """Set the words' vectors to the leading axes of the documents, so that training begins with what they say."""
        n_words, n_axes = axes.components.shape
        width = min(n_axes, self.words.embedding_dim)
        place = axes.columns.to(self.words.weight.device)
        self.words.weight[place, :width] = SPREAD * n_words**0.5 * axes.components[:, :width].to(self.words.weight)

    def forward(self, x: Tensor, view: Callable[[Tensor], Tensor] | None = None) -> Encoded:
        """Encode word numbers (n, length) of any dtype, or a view of them: a function of the numbers as int64."""
        x = x.long()
        ids = self.close_gaps(x if view is None else view(x))
        weight = segment_overlaps(ids > 0, self.n_locations) * self.word_weight[ids][:, None, :]
        sums, total = weight @ self.words(ids), weight.sum(2, keepdim=True)
        locations = sums / total.clamp(min=TINY)
        document = self.norm(sums.sum(1) / total.sum(1).clamp(min=TINY))
        fc = self.fc(document)
        return Encoded(locations, fc, self.code(fc) + self.shortcut(document))

    def close_gaps(self, x: Tensor) -> Tensor:
        """Return ids (n, length), zeros last, in which the unknown word is the number vocabulary_size.

        On the CPU they are cut to the longest document of the batch.
        """
        x = torch.where((x < 0) | (x > self.vocabulary_size), self.vocabulary_size, x)
        padding = x == 0
        order = padding.byte().argsort(dim=1, stable=True)  # not every device sorts booleans
        if x.device.type != "cpu":  # to ask for the longest document would be to wait for the device
            return x.gather(1, order)
        longest = max(1, int((~padding).sum(1).max()))
        return x.gather(1, order[:, :longest])


def segment_overlaps(is_word: Tensor, n_segments: int) -> Tensor:
    """Return how much of each word lies in each segment of its document, (n, n_segments, length); padding has 0.

    A document of T words is cut into segments of T/n_segments words; a word on a cut is shared by both sides.
    """
    n_words = is_word.sum(1)[:, None, None]
    length = n_words / n_segments
    start = torch.arange(n_segments, device=is_word.device)[:, None] * length
    position = torch.arange(is_word.shape[1], device=is_word.device)
    overlap = torch.minimum(position + 1, start + length) - torch.maximum(position, start)
    return overlap.clamp(min=0) * is_word[:, None, :]
