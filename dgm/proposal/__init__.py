"""How a child comes to be: what its parent's meta agent is shown (`feedback`) and how it edits (`propose`), children
that were made outside (`submissions`), and parents that the genome chooses itself (`own_selection`).
"""
