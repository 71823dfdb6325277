"""How good an agent is.

Its tasks are done stage by stage in sandboxes of its own (`evaluate`, over `session`), or bit by bit as a strategy asks
(`measuring`). `judging` and `calibration`: judges that ask a model. `controls`: what a gain must be compared with.
"""
