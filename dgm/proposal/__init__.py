"""How a child comes to be: what its parent's meta agent is shown (`feedback`) and how it edits, or what was made
outside (`propose`), and parents that the genome chooses itself (`own_selection`).
"""
