"""An archive in other forms: a page (`page`), a graph (`graph`), tables (`flat`), and whole in one file (`bundle`).

All of them read only, and escape what an agent wrote for the place where it will stand.
"""
