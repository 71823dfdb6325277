"""Ensembles over an archive: many agents' stored answers to a task, made into one, and scored like an agent.

For domains whose answers are labels. Nobody works again: answers come from the transcripts, and the judge judges what
the ensemble says. Who weighs how much is decided on another split than the one that is scored (train for val, what
agents are chosen on for test), so that an ensemble's score is not its own choice. `answers` reads, `rules` decides.
`voting` makes a domain of the answers, in which the way of combining them evolves like any agent.

Not covered: agents that were not measured on the split: on test, these are all but the few that the run chose.
"""
