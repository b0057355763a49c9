"""Sphinx's settings for the site. Nothing is executed, and nothing is fetched from elsewhere."""

project = "Big Models, Small Steps"
extensions = ["myst_nb", "sphinx_book_theme"]
language = "en"
html_theme = "sphinx_book_theme"
html_title = project
html_static_path = ["_static"]
html_css_files = ["narrow.css"]
html_js_files = [("mermaid/drawings.js", {"defer": "defer"})]
html_copy_source = False
html_use_index = False  # the glossary is one
html_theme_options = {
    "navbar_persistent": [],  # the search field stands in the side bar
    "show_toc_level": 2,
    "use_download_button": False,
    "use_fullscreen_button": False,
    "use_repository_button": False,
}
mathjax_path = "mathjax.js"
myst_enable_extensions = ["dollarmath"]
myst_heading_anchors = 3
nb_execution_mode = "off"
nb_ipywidgets_js = {}  # widgets are stored as pictures
nb_merge_streams = True
suppress_warnings = ["misc.highlighting_failure"]  # "…" in a line of code that stands in the text
