"""The course in class: nbgrader, JupyterHub, teacher notes, slides."""
