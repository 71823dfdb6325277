"""How good an agent is.

`session` is one conversation with one sandbox; a `bench` puts an agent through tasks over sessions, and `measured` is
what that comes to. Which tasks: `stages` at birth and on test, or `measuring`, bit by bit as a strategy asks. `judging`
and `calibration`: judges that ask a model. `controls`: what a gain must be compared with.
"""
