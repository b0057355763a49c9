"""From source/*.py to solutions/*.ipynb and chapters/*.ipynb, and the checks on them. `make build` starts here."""
