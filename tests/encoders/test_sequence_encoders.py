"""Encoders of sequences and of documents."""

import numpy as np
import pytest
import torch

from sklearn_dim.dim._objective import make_network
from sklearn_dim.encoders import TokenEncoder, check_encoder, sequence_encoder


@pytest.fixture(autouse=True)
def seed():
    torch.manual_seed(0)


def moved(before, after):
    """Return which locations differ."""
    return ((before.locations - after.locations).abs() > 1e-6).any(2).any(0)


@pytest.mark.parametrize(
    "shape", [(1, 8), (8, 9), (3, 15), (2, 16), (3, 33), (1, 100), (12, 427), (2, 1000), (1, 5000)]
)
def test_any_sequence_from_eight_places(shape):
    encoder = make_network("auto", "sequence", shape, 5).eval()
    n_locations, width, *_ = check_encoder(encoder, shape, 5)
    assert (width, n_locations) == encoder.location_shape and 4 <= n_locations <= 33
    assert encoder(torch.randn(2, *shape)).code.shape == (2, 5)


def test_shorter_sequences_are_refused():
    with pytest.raises(ValueError, match=r"of length 7 are shorter than 8, .* Pad them to 8"):
        sequence_encoder((3, 7), 4)


@pytest.mark.parametrize("length, reach", [(16, 6), (64, 10), (128, 22), (1000, 160)])
def test_a_position_moves_the_locations_near_it_only(length, reach):
    encoder = sequence_encoder((2, length), 4).eval()
    x = torch.randn(3, 2, length)
    before = encoder(x)
    centres = (torch.arange(before.locations.shape[1]) + 0.5) * length / before.locations.shape[1]
    for place in (0, length // 2, length - 1):
        changed = x.clone()
        changed[:, :, place] += 10
        after = encoder(changed)
        where = moved(before, after)
        assert where.any() and (centres[where] - place).abs().max() <= reach
        assert (after.code - before.code).abs().min() > 0


def documents(*lengths, width=30, vocabulary_size=50):
    """Return random word numbers, padded with 0."""
    rows = [torch.randint(1, vocabulary_size, (length,)) for length in lengths]
    return torch.stack([torch.cat([row, torch.zeros(width - len(row), dtype=torch.long)]) for row in rows])


@pytest.fixture
def tokens():
    return TokenEncoder(50, 6, weight=np.linspace(5, 1, 50)).eval()


def equal(a, b):
    for one, other in zip(a, b, strict=True):
        torch.testing.assert_close(one, other, atol=1e-6, rtol=1e-5)


def test_padding_carries_nothing(tokens):
    x = documents(12, 5, 1, 30)
    expected = tokens(x)
    equal(tokens(torch.nn.functional.pad(x, (0, 40))), expected)  # after a document
    equal(tokens(torch.nn.functional.pad(x, (7, 0))), expected)  # before it
    gaps = torch.zeros(4, 60, dtype=torch.long)
    gaps[:, ::2] = x
    equal(tokens(gaps), expected)
    equal(tokens(x.double()), expected)
    alone = [tokens(row[None])[:3] for row in x]  # company may be longer
    equal([torch.cat(parts) for parts in zip(*alone, strict=True)], expected[:3])


def test_padding_carries_nothing_in_training():
    x = documents(12, 5, 1, 30)
    encoder = TokenEncoder(50, 6)
    equal(encoder(torch.nn.functional.pad(x, (3, 40))), encoder(x))


def test_locations_are_segments_of_the_document():
    encoder = TokenEncoder(50, 6, n_locations=4).eval()
    x = documents(24, width=40)
    before = encoder(x)
    changed = x.clone()
    changed[0, 13] = 50 - changed[0, 13]
    assert moved(before, encoder(changed)).tolist() == [False, False, True, False]
    assert (encoder(changed).code - before.code).abs().min() > 0
    short = encoder(documents(3))  # fewer words than segments
    assert torch.isfinite(short.locations).all() and (short.locations.abs().sum(2) > 0).all()


def test_a_document_without_words_has_a_code():
    encoder = TokenEncoder(50, 6).eval()
    assert torch.isfinite(encoder(torch.zeros(2, 10)).code).all()
    assert torch.isfinite(encoder(torch.zeros(2, 10)).locations).all()


def test_all_unknown_words_are_one(tokens):
    x = documents(20, 10)
    codes = []
    for number in (-1, 50, 51, 10**9):
        unknown = x.clone()
        unknown[:, 4] = number
        codes.append(tokens(unknown).code)
    for code in codes[1:]:
        assert torch.equal(code, codes[0])
    assert not torch.allclose(codes[0], tokens(x).code)


def test_a_location_is_the_weighted_mean_of_its_words():
    weights = np.linspace(5, 1, 50)
    encoder = TokenEncoder(50, 6, n_locations=1, weight=weights).eval()
    words = torch.tensor([[7, 40, 7, 2, 0]])
    vectors = encoder.words.weight[words[0, :4]]
    own = torch.tensor(weights, dtype=torch.float32)[words[0, :4]][:, None]
    torch.testing.assert_close(encoder(words).locations[0, 0], (own * vectors).sum(0) / own.sum())
