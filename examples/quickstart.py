"""
Quickstart
==========

Images, a network, and pairs of columns whose correlation says nothing: what three estimators make of them, beside
known answers. Prints tables and saves ``quickstart.png``.
"""

import os
import pickle
import time
import warnings

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from scipy.special import entr
from scipy.stats import norm
from sklearn.cluster import KMeans
from sklearn.datasets import load_digits
from sklearn.decomposition import PCA
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from sklearn.manifold import TSNE
from sklearn.metrics import adjusted_rand_score
from sklearn.model_selection import GridSearchCV, train_test_split
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler

from sklearn_dim import (
    DGITransformer,
    DIMTransformer,
    Graph,
    MutualInfoEstimator,
)
from sklearn_dim.datasets import (
    fetch_planetoid,
    load_nudged_digits,
    make_community_graph,
)

warnings.simplefilter("ignore", ConvergenceWarning)

# %%
# Deep InfoMax on images
# ----------------------
# scikit-learn's digits and their one-pixel nudges. Each representation learns from all training images without labels;
# a logistic regression on it then sees all labels, or only 100.


def classifier(representation):
    """Put a logistic regression behind a representation; peers of DIM get a scaler between."""
    return Pipeline(
        [
            ("features", representation),
            ("scale", StandardScaler()),
            ("clf", LogisticRegression()),
        ]
    )


def compare_on_digits():
    X, y = load_nudged_digits()
    X_train, X_test, y_train, y_test = train_test_split(
        X, y, test_size=0.2, random_state=0
    )
    pipelines = {
        "raw pixels": classifier("passthrough"),
        "PCA(32)": classifier(PCA(32, random_state=0)),
        "DIMTransformer()": Pipeline(
            [
                ("dim", DIMTransformer(image_shape=(1, 8, 8), random_state=0)),
                ("clf", LogisticRegression()),
            ]
        ),
    }
    few = np.random.default_rng(0).permutation(len(X_train))[:100]
    rows = {}
    for name, pipeline in pipelines.items():
        start = time.perf_counter()
        pipeline.fit(X_train, y_train)
        seconds = time.perf_counter() - start
        with_all = pipeline.score(X_test, y_test)
        features, labelled = pipeline[:-1], LogisticRegression()
        labelled.fit(features.transform(X_train[few]), y_train[few])
        with_few = labelled.score(features.transform(X_test), y_test)
        rows[name] = {
            "all labels": with_all,
            "100 labels": with_few,
            "fit, s": seconds,
        }
    return pd.DataFrame(rows).T, pipelines["DIMTransformer()"], X_test, y_test


# %%
# A grid search over the bound, and a pickle
# ------------------------------------------


def search_a_bound():
    X, y = load_digits(return_X_y=True)
    pipeline = Pipeline(
        [
            ("dim", DIMTransformer(max_iter=5, random_state=0)),
            ("clf", LogisticRegression()),
        ]
    )
    grid = {"dim__mi_estimator": ["dv", "infonce"]}
    search = GridSearchCV(pipeline, grid, cv=2, n_jobs=2).fit(X, y)
    loaded = pickle.loads(pickle.dumps(search.best_estimator_))
    same = np.array_equal(loaded.predict(X), search.best_estimator_.predict(X))
    table = pd.DataFrame(
        {"accuracy": search.cv_results_["mean_test_score"]},
        index=grid["dim__mi_estimator"],
    )
    return table, same


# %%
# Nodes of a network
# ------------------
# Four communities of 200 nodes. Features are noisy, one neighbour in five belongs to another community, and only 20
# nodes have a label.


def compare_on_a_network():
    X, adjacency, y = make_community_graph(
        800, 32, n_communities=4, noise=3.0, random_state=0
    )
    graph = Graph(X, adjacency)
    vectors = {
        "features": StandardScaler().fit_transform(X),
        "DGITransformer()": DGITransformer(random_state=0).fit_transform(
            graph
        ),
    }
    order = np.random.default_rng(0).permutation(len(y))
    few, unseen = order[:20], order[20:]
    rows = {}
    for name, Z in vectors.items():
        labelled = LogisticRegression(max_iter=1000).fit(Z[few], y[few])
        clusters = KMeans(4, n_init=5, random_state=0).fit_predict(Z)
        rows[name] = {
            "20 labels": labelled.score(Z[unseen], y[unseen]),
            "k-means, ARI": adjusted_rand_score(y, clusters),
        }
    return pd.DataFrame(rows).T, vectors, y


# %%
# With a folder named by ``SKLEARN_DIM_DATA`` that has it, there is a real network, too: Cora, papers that cite each
# other.


def papers_of_cora():
    cora = fetch_planetoid(
        "cora",
        data_home=os.environ["SKLEARN_DIM_DATA"],
        download_if_missing=False,
    )
    graph, y = Graph(cora.data, cora.adjacency), cora.target
    vectors = {
        "words": cora.data,
        "DGITransformer()": DGITransformer(random_state=0).fit_transform(
            graph
        ),
    }
    accuracy = {
        name: LogisticRegression(max_iter=1000)
        .fit(Z[cora.train], y[cora.train])
        .score(Z[cora.test], y[cora.test])
        for name, Z in vectors.items()
    }
    return pd.DataFrame({"140 labels": accuracy})


# %%
# Mutual information with a known answer
# --------------------------------------
# The parabola and the wave have no correlation with x, but say much about it. How much is known: y = f(x) + noise has
# the entropy of y, a sum over a grid, less that of the noise.

PAIRS = {  # f, and the standard deviation of the noise
    "line": (lambda x: x, 0.75),
    "parabola": (np.square, 0.5),
    "wave": (lambda x: np.cos(3 * x), 0.3),
    "independent": (np.zeros_like, 1.0),
}


def true_information(f, sd):
    """Return the information of f(x) + noise with a standard normal x, in nats."""
    x = np.linspace(-6, 6, 3001)
    y = np.linspace(f(x).min() - 6 * sd, f(x).max() + 6 * sd, 3001)
    density = norm.pdf(y[:, None], f(x), sd) @ norm.pdf(x) * (x[1] - x[0])
    return entr(density).sum() * (y[1] - y[0]) - norm.entropy(scale=sd)


def estimate_known_information(n=1000):
    rng = np.random.default_rng(0)
    x, noise = rng.normal(size=(2, n))
    rows = {}
    for name, (f, sd) in PAIRS.items():
        y = f(x) + sd * noise
        mi = MutualInfoEstimator(random_state=0).fit(x[:, None], y)
        low, high = mi.confidence_interval()
        rows[name] = {
            "correlation": np.corrcoef(x, y)[0, 1],
            "truth, nats": true_information(f, sd),
            "estimate": mi.mutual_info_,
            "low": low,
            "high": high,
            "p": mi.p_value(),
        }
    return pd.DataFrame(rows).T


# %%
# The picture
# -----------
# Each point is an image, or a node; colours are classes that no embedding was told.


def draw_plane(ax, vectors, y, title):
    plane = TSNE(random_state=0).fit_transform(vectors)
    ax.scatter(*plane.T, c=y, s=6, cmap="tab10", vmin=0, vmax=9)
    ax.set(title=title, xticks=[], yticks=[])


def draw_bars(ax, digits):
    digits[["100 labels", "all labels"]].plot.barh(
        ax=ax, color=["#9ecae1", "#08519c"], xlim=(0.4, 1), width=0.7
    )
    ax.set(title="Digits: accuracy of a linear classifier", xlabel="")
    ax.invert_yaxis()
    ax.legend(loc="upper right", fontsize="small")


def draw_information(ax, information):
    places = np.arange(len(information))
    ends = information[["low", "high"]].T - information["estimate"]
    ax.barh(
        places,
        information["estimate"],
        xerr=ends.abs().to_numpy(),
        color="#6baed6",
        height=0.6,
        capsize=4,
        label="estimate, 95 %",
    )
    ax.plot(information["truth, nats"], places, "D", color="black", ms=5)
    for place, r in zip(places, information["correlation"], strict=True):
        ax.text(1.4, place, f"{r:.2f}", ha="right", va="center")
    ax.text(1.4, -0.75, "correlation", ha="right", va="center")
    ax.set(
        title="Mutual information in nats (◆ truth)",
        yticks=places,
        yticklabels=information.index,
        xlim=(-0.02, 1.42),
        ylim=(len(places) - 0.5, -1.1),
    )


def draw(digits, model, X, y, network, information, path="quickstart.png"):
    accuracy, vectors, communities = network
    figure, axes = plt.subplots(2, 3, figsize=(13, 7.8), layout="constrained")
    some = slice(500)
    for row, name, codes in (
        (0, "raw pixels", X[some]),
        (1, "DIMTransformer()", model[:-1].transform(X[some])),
    ):
        right = digits.loc[name, "100 labels"]
        title = f"Digits: {name}\n{right:.0%} right with 100 labels"
        draw_plane(axes[row, 0], codes, y[some], title)
    for row, (name, codes) in enumerate(vectors.items()):
        right = accuracy.loc[name, "20 labels"]
        title = f"Network: {name}\n{right:.0%} right with 20 labels"
        draw_plane(axes[row, 1], codes, communities, title)
    draw_bars(axes[0, 2], digits)
    draw_information(axes[1, 2], information)
    figure.savefig(path, dpi=110)
    return path


def main():
    digits, model, X_test, y_test = compare_on_digits()
    print(
        "Digits and nudges: accuracy on 1797 unseen images\n",
        digits.round(3).to_string(),
        sep="",
    )
    network = compare_on_a_network()
    print(
        "\nNodes of a network: accuracy, and clusters beside communities\n",
        network[0].round(3).to_string(),
        sep="",
    )
    if "SKLEARN_DIM_DATA" in os.environ:
        print(
            "\nCora: accuracy\n", papers_of_cora().round(3).to_string(), sep=""
        )
    information = estimate_known_information()
    print(
        "\nMutual information of pairs with a known answer\n",
        information.round(3).to_string(),
        sep="",
    )
    table, same = search_a_bound()
    print(
        "\nGrid search over mi_estimator (digits as a table)\n",
        table.round(3).to_string(),
        sep="",
    )
    print(f"the best pipeline, pickled and loaded, predicts the same: {same}")
    picture = draw(digits, model, X_test, y_test, network, information)
    print("\nPicture:", os.path.abspath(picture))


if __name__ == "__main__":
    main()

# sphinx_gallery_thumbnail_path = "_static/demo.png"
