"""The diagram of a notebook links to the site, whose pages are named by the public names."""

import html

import pytest
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import sklearn_dim

ESTIMATORS = [
    "DIMTransformer",
    "DGITransformer",
    "GraphInfomaxTransformer",
    "MutualInfoEstimator",
    "MutualInfoSelector",
]


def page(name):
    return f"https://sklearn-dim.readthedocs.io/en/stable/api/generated/sklearn_dim.{name}.html"


@pytest.mark.parametrize("name", ESTIMATORS)
def test_the_diagram_links_to_the_page_of_the_class(name):
    estimator = getattr(sklearn_dim, name)()
    assert estimator._get_doc_link() == page(name)
    assert f'href="{page(name)}"' in estimator._repr_html_()
    assert f'href="{page(name)}"' in make_pipeline(StandardScaler(), estimator)._repr_html_()


def test_a_subclass_of_another_package_has_no_page_here():
    class Mine(sklearn_dim.DIMTransformer):
        pass

    assert Mine()._get_doc_link() == ""


@pytest.mark.parametrize("name", ESTIMATORS)
def test_every_parameter_is_explained(name):
    estimator = getattr(sklearn_dim, name)()
    if not hasattr(estimator, "_get_params_html"):
        pytest.skip("scikit-learn before 1.7 shows no table of parameters")
    text = html.unescape(estimator._repr_html_())
    if "param-doc-link" not in text:
        pytest.skip("scikit-learn before 1.8 links no parameters")
    for parameter in estimator.get_params(deep=False):
        assert f"{page(name)}#:~:text={parameter},-" in text, parameter
