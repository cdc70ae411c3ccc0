"""An encoder for documents given as the numbers of their words (after IS-BERT, Zhang et al., EMNLP 2020)."""

import torch
from torch import Tensor, nn

from sklearn_dim.encoders._base import Encoded, SampleEncoder, batch_normed


class TokenEncoder(SampleEncoder):
    """Word vectors; their weighted means over stretches of the document are the locations, their mean makes the code.

    A document is its words that are not 0, in their order, wherever the zeros are: padding takes no part in it, and
    each location lies on words. A document without words has the code of a vector of zeros.

    Parameters
    ----------
    vocabulary_size : int
        One more than the largest word number. All other numbers, negative ones too, are the one unknown word.
    n_components : int
        Width of the code.
    n_locations : int, default=8
        Stretches of equal length into which a document is cut, be it longer or shorter than this.
    width : int, default=128
        Width of a word's vector, and of a location.
    hidden : int, default=256
        Units of the hidden layer.
    weight : array-like of shape (vocabulary_size,), default=None
        Weight of each word number in a mean of words; that of 0 does not count. Unknown words get the smallest. By
        default all words weigh the same.
    """

    def __init__(self, vocabulary_size, n_components, *, n_locations=8, width=128, hidden=256, weight=None):
        super().__init__()
        self.n_locations, self.vocabulary_size = n_locations, vocabulary_size
        self.words = nn.Embedding(vocabulary_size + 1, width)
        nn.init.normal_(self.words.weight, std=0.1)  # small, so that steps of Adam are large beside it
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

    def forward(self, x: Tensor, view=None) -> Encoded:
        """Encode word numbers (n, length) of any type, or a view of them: a function of the numbers as int64."""
        x = x.long()
        ids = self.close_gaps(x if view is None else view(x))
        weight = stretches(ids > 0, self.n_locations) * self.word_weight[ids][:, None, :]
        sums, total = weight @ self.words(ids), weight.sum(2, keepdim=True)
        locations = sums / total.clamp(min=1e-6)
        document = self.norm(sums.sum(1) / total.sum(1).clamp(min=1e-6))
        fc = self.fc(document)
        return Encoded(locations, fc, self.code(fc) + self.shortcut(document))

    def close_gaps(self, x: Tensor) -> Tensor:
        """Return ids (n, longest document), zeros last, where an unknown word has the number vocabulary_size."""
        x = torch.where((x < 0) | (x > self.vocabulary_size), self.vocabulary_size, x)
        padding, order = (x == 0).sort(dim=1, stable=True)
        longest = max(1, int((~padding).sum(1).max()))
        return x.gather(1, order[:, :longest])


def stretches(is_word: Tensor, n_stretches: int) -> Tensor:
    """Return how much of each word lies in each stretch of its document, (n, n_stretches, length); padding has 0.

    A document of T words is cut into stretches of T/n_stretches words; a word on a cut is shared by both sides.
    """
    n_words = is_word.sum(1)[:, None, None]
    length = n_words / n_stretches
    start = torch.arange(n_stretches, device=is_word.device)[:, None] * length
    place = torch.arange(is_word.shape[1], device=is_word.device)
    overlap = torch.minimum(place + 1, start + length) - torch.maximum(place, start)
    return overlap.clamp(min=0) * is_word[:, None, :]
