"""How the documentation is built: `make docs`. Nothing in the pages is loaded from elsewhere."""

import pathlib
import re
import sys

sys.path.insert(0, str(pathlib.Path(__file__).parent / "_ext"))

import sklearn_dim

project = "sklearn-dim"
author = "The sklearn-dim developers"
copyright = "the sklearn-dim developers"
version = release = sklearn_dim.__version__

extensions = [
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "numpydoc",
    "myst_parser",
    "sphinx_gallery.gen_gallery",
    "mathml",
    "name_links",
]
exclude_patterns = ["_build", "auto_examples/**/*.ipynb", "auto_examples/**/*.md5"]
templates_path = ["_templates"]
default_role = "autolink"

# API pages: docstrings say the types, and members are ours, not those of scikit-learn, skorch or torch.
autosummary_generate = True
autodoc_typehints = "none"
autodoc_default_options = {
    "members": True,
    "inherited-members": "BaseEstimator, TransformerMixin, _SetOutputMixin, Module, NeuralNet, Callback, tuple",
    "exclude-members": "set_fit_request, set_score_request, set_transform_request, set_partial_fit_request, "
    "get_metadata_routing",
}
numpydoc_show_class_members = False
nitpick_ignore_regex = [("py:obj", r"(sklearn|skorch|torch)\..*")]  # other packages are not linked to

# Pages.
myst_enable_extensions = ["dollarmath", "colon_fence"]
myst_heading_anchors = 3
html_math_renderer = "mathml"

html_theme = "pydata_sphinx_theme"
html_title = "sklearn-dim"
html_static_path = ["_static"]
html_css_files = ["custom.css"]
html_show_sourcelink = False
html_context = {"default_mode": "auto"}
html_sidebars = {"comparison": [], "mathematics": [], "results": []}
html_theme_options = {
    "navbar_align": "left",
    "navbar_end": ["theme-switcher"],
    "show_prev_next": False,
    "header_links_before_dropdown": 7,
}

sphinx_gallery_conf = {
    "examples_dirs": "../examples",
    "gallery_dirs": "auto_examples",
    "filename_pattern": r"/plot_",  # the others are shown, not run
    "doc_module": ("sklearn_dim",),
    "reference_url": {"sklearn_dim": None},
    "backreferences_dir": None,
    "within_subsection_order": "FileNameSortKey",
    "download_all_examples": False,
    "show_signature": False,
    "write_computation_times": False,  # that page would load scripts from elsewhere
    "show_memory": False,
    "remove_config_comments": True,
}


def results_are_a_page(app, docname, source):
    """Point links at the benchmarks' results, which lie outside this folder, to the page that includes them."""
    source[0] = re.sub(r"\]\((\.\./)?\.\./benchmarks/RESULTS\.md", r"](\1results.md", source[0])


def setup(app):
    """Install the hook."""
    app.connect("source-read", results_are_a_page)
