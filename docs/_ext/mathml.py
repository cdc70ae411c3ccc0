"""Write formulas as MathML, which browsers render by themselves: no script, no download."""

import re
from html import escape

from docutils import nodes
from latex2mathml.converter import convert


def write_formula(translator, node):
    """Write a formula into a line or a paragraph of its own."""
    display = isinstance(node, nodes.math_block)
    mathml = convert(node.astext(), display="block" if display else "inline")
    mathml = re.sub(
        "<mi>log</mi>(?!<mo)", '<mi>log</mi><mspace width="0.17em"/>', mathml
    )
    translator.body.append(
        mathml.replace(
            "<math ", f'<math aria-label="{escape(node.astext())}" ', 1
        )
    )
    raise nodes.SkipNode


def setup(app):
    """Make this the renderer that `html_math_renderer = "mathml"` names."""
    app.add_html_math_renderer(
        "mathml", (write_formula, None), (write_formula, None)
    )
    return {"parallel_read_safe": True, "parallel_write_safe": True}
