"""How the documentation is built: Sphinx, MyST for Markdown, Furo for the looks; nothing is fetched."""

import sparekey

project = "sparekey"
author = "The sparekey authors"
copyright = "2026, the sparekey authors"  # noqa: A001 - the name Sphinx reads
release = version = sparekey.__version__

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
exclude_patterns = ["_build"]
source_suffix = {".md": "markdown"}
html_theme = "furo"
html_title = "sparekey"
myst_enable_extensions = ["colon_fence", "deflist"]
myst_heading_anchors = 3

autodoc_member_order = "bysource"
autodoc_typehints = "signature"
napoleon_google_docstring = True
add_module_names = False
