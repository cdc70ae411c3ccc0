"""Lead the links to source code to the module that a thing is written in, since rooms show it as their own."""

import importlib
import inspect


def home(app, modname, attribute):
    """Return the name of the module in which an attribute of a module is defined, or None."""
    thing = importlib.import_module(modname)
    for name in attribute.split("."):
        thing = getattr(thing, name, None)
    written = (
        [value for value in vars(thing).values() if inspect.isfunction(value)]
        if inspect.isclass(thing)
        else []
    )
    for function in [
        inspect.unwrap(value)
        for value in (thing, *written)
        if inspect.isfunction(value)
    ]:
        name = function.__globals__["__name__"]
        if name.startswith("sklearn_dim"):
            return name
    return getattr(thing, "__module__", None)


def setup(app):
    """Install the hook."""
    app.connect("viewcode-follow-imported", home)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
