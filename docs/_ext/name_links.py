"""Link words in code or italics that are just a public name, such as `DIMTransformer`."""

from docutils import nodes
from sphinx.transforms.post_transforms import SphinxPostTransform
from sphinx.util.nodes import make_refnode

PLACES = (
    "",
    "sklearn_dim.",
    "sklearn_dim.DIMTransformer.",
    "sklearn_dim.MutualInfoEstimator.",
)


class LinkNames(SphinxPostTransform):
    """Where the API has a page for a name, the name becomes a link to it."""

    default_priority = 400

    def run(self, **options):
        """Visit the code and the italics of a page."""
        objects = self.env.domains["py"].objects
        for word in [
            *self.document.findall(nodes.literal),
            *self.document.findall(nodes.emphasis),
        ]:
            name = word.astext().removesuffix("()")
            found = [
                objects[place + name]
                for place in PLACES
                if place + name in objects
            ]
            if found and not isinstance(word.parent, nodes.reference):
                entry = found[0]
                link = make_refnode(
                    self.app.builder,
                    self.env.docname,
                    entry.docname,
                    entry.node_id,
                    word.deepcopy(),
                )
                word.replace_self(link)


def setup(app):
    """Install the transform."""
    app.add_post_transform(LinkNames)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
