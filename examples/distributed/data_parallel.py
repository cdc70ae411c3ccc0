"""
Training by several processes
=============================

`torchrun` starts this script twice, on the cores of one machine, on GPUs, or on several machines::

    torchrun --nproc_per_node=2 examples/distributed/data_parallel.py

Both processes run all of it. Inside ``data_parallel`` each encodes its half of every batch, and both end with the same
weights. With ``gather_negatives=True`` a row is compared with all rows of the batch, not only with those of its own
process, so the result is that of one process.
"""

from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split

from sklearn_dim import DIMTransformer
from sklearn_dim.training import data_parallel

X, y = load_digits(return_X_y=True)
X_train, X_test, y_train, y_test = train_test_split(X / 16, y, random_state=0)

dim = DIMTransformer(
    n_components=32, image_shape=(1, 8, 8), max_iter=3, random_state=0
)
with data_parallel(gather_negatives=True) as processes:
    dim.fit(X_train)
    processes.print(
        f"{processes.num_processes} processes, losses {[round(loss, 3) for loss in dim.loss_curve_]}"
    )

# From here on one process is enough.
if processes.is_main_process:
    probe = LogisticRegression(max_iter=1000).fit(
        dim.transform(X_train), y_train
    )
    print(
        f"accuracy of a linear probe on the code: {probe.score(dim.transform(X_test), y_test):.3f}"
    )
