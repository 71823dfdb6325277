"""How good an agent is.

`session` is one conversation with one half of a genome in one sandbox, `candidates` with what a judge must execute, and
`replies` what their answers are worth. A `bench` puts an agent through tasks over sessions, and `measured` is what that
comes to. `stages` says which tasks: at birth, stage by stage, and on test. `ongoing` gives up all that is under way.
`judging` and `calibration`: judges that ask a model. `named`: the domains of a run. `controls`: what a gain must be
compared with.
"""
