"""The site: sphinx-build -W --keep-going docs build/site.

Sphinx, since half of what there is to document is a native module: autodoc reads the docstrings of
the installed package, where readers of the source find no text. numpydoc renders them as NumPy's
and SciPy's own sites do, MyST reads the pages as they lie, and MyST-NB runs the notebooks.
"""

from importlib.metadata import version as installed_version

from docutils import nodes
from sphinx.application import Sphinx

project = "smartsolve"
author = "the authors of smartsolve"
copyright = author
version = release = installed_version("smartsolve")

extensions = [
    "myst_nb",
    "numpydoc",
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx_copybutton",
    "sphinx_design",
    "sphinx-mathjax-offline",
]
templates_path = ["_templates"]
exclude_patterns = ["examples/**"]
nitpicky = True
# Words of a docstring's types that name no object: "array_like", the members of a set of strings.
nitpick_ignore_regex = [("py:.*", ".*")]

myst_enable_extensions = ["attrs_block", "colon_fence", "dollarmath"]
myst_heading_anchors = 4
# Links that leave the pages lead to files of the repository.
myst_url_schemes = ("http", "https", "mailto")
suppress_warnings = ["myst.header"]

nb_execution_mode = "auto"
nb_execution_raise_on_error = True
nb_execution_timeout = 300
nb_execution_show_tb = True

autosummary_generate = True
autosummary_imported_members = True
numpydoc_class_members_toctree = False
numpydoc_show_inherited_class_members = False
numpydoc_xref_param_type = False
add_module_names = False
autodoc_typehints = "none"
default_role = "autolink"

html_theme = "pydata_sphinx_theme"
html_title = f"smartsolve {version}"
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_copy_source = False
html_show_sourcelink = False
html_theme_options = {
    "logo": {"text": "smartsolve"},
    "navbar_align": "left",
    "header_links_before_dropdown": 6,
    "show_toc_level": 2,
    "show_prev_next": True,
    "secondary_sidebar_items": ["page-toc"],
    "pygments_light_style": "tango",
    "pygments_dark_style": "monokai",
    "footer_start": ["copyright"],
    "footer_end": [],
}
# Pages of their own, which stand beside no others.
html_sidebars = {"gallery": [], "benchmarks": []}
copybutton_prompt_text = r">>> |\.\.\. |\$ "
copybutton_prompt_is_regexp = True


def without_last_blank_line(app: Sphinx, document: nodes.document) -> None:
    """Take away the blank line that ends a session's expected output, where doctest needs it."""
    for block in document.findall(nodes.literal_block):
        if block.astext().startswith(">>> "):
            block.rawsource = block.astext().rstrip()
            block.children = [nodes.Text(block.rawsource)]


def setup(app: Sphinx) -> None:
    app.connect("doctree-read", without_last_blank_line)
