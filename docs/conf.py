"""How Sphinx makes a static site of these pages: make site."""

project = "moabot"
copyright = "the authors of moabot, Apache-2.0"  # noqa: A001 - Sphinx wants this name
extensions = ["myst_parser"]
exclude_patterns = ["tables.py", "records.py"]
myst_heading_anchors = 3
suppress_warnings = ["myst.xref_missing"]  # files beside docs/, which are read in the repository
html_theme = "furo"
html_title = "moabot"
html_show_sphinx = False
