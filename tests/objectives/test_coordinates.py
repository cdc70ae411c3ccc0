"""The coordinate task, typed again pair by pair."""

import torch
from torch import nn

from sklearn_dim.objectives import Coordinates


def test_each_location_is_asked_for_its_row_and_column():
    torch.manual_seed(0)
    task = Coordinates(4, 5, (2, 3), hidden=7)
    code, locations, places = torch.randn(3, 4), torch.randn(3, 4, 5), torch.tensor([5, 0, 2, 4])
    torch.manual_seed(1)
    loss = task(code, locations, places)
    torch.manual_seed(1)
    others = torch.randperm(4)
    expected = 0.0
    for i in range(3):
        for place, other in enumerate(others):
            row, column = divmod(int(places[place]), 3)
            row_of_other, column_of_other = divmod(int(places[other]), 3)
            rows, columns = task.absolute.net(torch.cat([code[i], locations[i, place]])).split([2, 3])
            expected -= rows.log_softmax(0)[row] + columns.log_softmax(0)[column]
            told = task.relative.net(torch.cat([code[i], locations[i, place], locations[i, other]]))
            rows, columns = told.split([3, 5])
            expected -= rows.log_softmax(0)[row - row_of_other + 1]
            expected -= columns.log_softmax(0)[column - column_of_other + 2]
    torch.testing.assert_close(loss, expected / 12)


def test_places_are_learnt_where_features_tell_them():
    torch.manual_seed(0)
    task, signs = Coordinates(2, 6, (6,)), torch.eye(6).expand(50, -1, -1)
    adam, places = torch.optim.Adam(task.parameters(), lr=1e-2), torch.arange(6)
    for _ in range(200):
        adam.zero_grad()
        loss = task(torch.randn(50, 2), signs, places)
        loss.backward()
        adam.step()
    assert loss.item() < 0.1
    blind = nn.functional.cross_entropy(torch.zeros(1, 6), torch.tensor([0])).item()  # log 6, and more for 11 shifts
    assert task(torch.randn(50, 2), torch.zeros_like(signs), places).item() > blind
