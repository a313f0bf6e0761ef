"""How fast the portal is, held against a floor or a peer in the same run: `uv run python -m tests.bench`.

Each group of figures is a module here and runs in a process of its own, on a database of its own. Ours and what it is
held against are measured in turns, so that the machine and its load cancel out; a ratio of medians is the figure.
Nothing here is a test that could fail for being slow.
"""
