"""A view of documents given as word numbers, made on the device for a whole batch at once."""

from dataclasses import dataclass

import torch
from torch import Tensor

from sklearn_dim._arguments import checked
from sklearn_dim.views._base import View

UNKNOWN = -1  # a number that encoders of tokens take for an unknown word: any that is negative would do


@checked(least="[0, 1]", most="[0, 1]", masked="[0, 1]")
@dataclass
class DropWords(View):
    """Leave words out of each document, and mask a few of the others.

    Two views of a document then have few words in common; what they share is what the document is about.

    Parameters
    ----------
    least, most : float, default=0.2, 0.9
        Each document draws the probability of its words to be left out (0, padding) from between these.
    masked : float, default=0.05
        Probability of each other word to become the unknown word.
    """

    least: float = 0.2
    most: float = 0.9
    masked: float = 0.05

    def __call__(self, x: Tensor) -> Tensor:
        """Return a view of word numbers x (n, length); a document that would lose all words keeps its first."""
        is_word = x != 0
        dropped = self.least + (self.most - self.least) * torch.rand(len(x), 1, device=x.device)
        stays = is_word & (torch.rand(x.shape, device=x.device) >= dropped)
        first = is_word & (is_word.cumsum(1) == 1)
        view = torch.where(stays | first & ~stays.any(1, keepdim=True), x, 0)
        return torch.where(stays & (torch.rand(x.shape, device=x.device) < self.masked), UNKNOWN, view)
