"""How the documentation is built: `make docs`. Nothing in the pages is loaded from elsewhere."""

import pathlib
import re
import socket
import sys

sys.path.insert(0, str(pathlib.Path(__file__).parent / "_ext"))

import sklearn_dim

DOCS = pathlib.Path(__file__).resolve().parent

project = "sklearn-dim"
author = "The sklearn-dim developers"
copyright = "the sklearn-dim developers"
version = release = sklearn_dim.__version__

extensions = [
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx.ext.intersphinx",
    "sphinx.ext.viewcode",
    "numpydoc",
    "myst_parser",
    "sphinx_gallery.gen_gallery",
    "benchmark_figure",
    "mathml",
    "name_links",
    "source_links",
]
exclude_patterns = [
    "_build",
    "auto_examples/**/*.ipynb",
    "auto_examples/**/*.md5",
]
templates_path = ["_templates"]
default_role = "autolink"

# API pages: docstrings say the types, and members are ours, not those of scikit-learn, skorch or torch.
autosummary_generate = True
autodoc_typehints = "none"
toc_object_entries_show_parents = "hide"
autodoc_default_options = {
    "members": True,
    "inherited-members": "BaseEstimator, TransformerMixin, _SetOutputMixin, Module, NeuralNet, Callback, tuple",
    "exclude-members": "set_fit_request, set_score_request, set_transform_request, set_partial_fit_request, "
    "get_metadata_routing",
}
numpydoc_show_class_members = False
nitpick_ignore_regex = [
    ("py:obj", r"(matplotlib|sklearn|skorch|torch)\..*")
]  # without a network they are not linked to


def online() -> bool:
    """Whether the pages of other packages can be reached; the build succeeds without."""
    try:
        socket.create_connection(("scikit-learn.org", 443), timeout=3).close()
    except OSError:
        return False
    return True


OTHERS = {
    "numpy": ("https://numpy.org/doc/stable/", None),
    "pandas": ("https://pandas.pydata.org/docs/", None),
    "sklearn": ("https://scikit-learn.org/stable/", None),
    "skorch": ("https://skorch.readthedocs.io/en/stable/", None),
    "torch": ("https://docs.pytorch.org/docs/stable/", None),
}
intersphinx_mapping = OTHERS if online() else {}

# Pages.
myst_enable_extensions = ["dollarmath", "colon_fence"]
myst_heading_anchors = 4
html_math_renderer = "mathml"

html_theme = "pydata_sphinx_theme"
html_title = "sklearn-dim"
html_static_path = ["_static"]
html_css_files = ["custom.css"]
html_js_files = ["page.js"]
html_show_sourcelink = False
html_context = {"default_mode": "auto"}
html_sidebars = {
    name: []
    for name in [
        "comparison",
        "mathematics",
        "results",
        "citing",
        "changelog",
        "_modules/**",
        "genindex",
    ]
}
html_theme_options = {
    "logo": {"text": f"sklearn-dim {version}"},
    "navbar_align": "left",
    "navbar_end": ["theme-switcher", "navbar-icon-links"],
    "github_url": "https://github.com/sklearn-dim/sklearn-dim",
    "show_prev_next": True,
    "show_toc_level": 2,
    "navigation_depth": 3,
    "header_links_before_dropdown": 7,
    "secondary_sidebar_items": ["page-toc"],
}

sphinx_gallery_conf = {
    "examples_dirs": "../examples",
    "gallery_dirs": "auto_examples",
    "filename_pattern": r"/plot_",  # the others are shown, not run
    "doc_module": ("sklearn_dim",),
    "reference_url": {"sklearn_dim": None},
    "backreferences_dir": "api/generated/examples",
    "within_subsection_order": "gallery_order.place",
    "download_all_examples": False,
    "show_signature": False,
    "write_computation_times": False,  # that page would load scripts from elsewhere
    "show_memory": False,
    "remove_config_comments": True,
}


PAGES = {
    "benchmarks/RESULTS.md": "results.md",
    "CHANGES.md": "changelog.md",
    "CONTRIBUTING.md": "contributing.md",
}
ELSEWHERE = "https://github.com/sklearn-dim/sklearn-dim/blob/main/"


def files_are_pages(text: str, folder: str) -> str:
    """Point links at files outside this folder to the pages that include them, or else to the repository."""

    def link(found):
        path = (DOCS / folder / found["path"]).resolve()
        if not path.exists() or path.is_relative_to(DOCS):
            return found[0]
        name = path.relative_to(DOCS.parent).as_posix()
        up = "../" * len(pathlib.PurePath(folder).parts)
        target = (
            f"{up}{PAGES[name]}" if name in PAGES else f"{ELSEWHERE}{name}"
        )
        return f"]({target}{found['place'] or ''})"

    return re.sub(r"\]\((?P<path>[\w./-]+)(?P<place>#[^)\s]*)?\)", link, text)


def read(app, docname, source):
    """Change the links of a page."""
    source[0] = files_are_pages(
        source[0], str(pathlib.PurePath(docname).parent)
    )


def included(app, path, parent, source):
    """Change the links of a file that a page includes."""
    source[0] = re.sub(r"\]\(docs/", "](", source[0])
    source[0] = (
        files_are_pages(source[0], "..")
        if path.name != "RESULTS.md"
        else source[0]
    )


def setup(app):
    """Install the hooks."""
    app.connect("source-read", read)
    app.connect("include-read", included)
