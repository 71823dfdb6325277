"""One sitting of a run, from `dgm run` or `dgm resume` to its end.

`start` makes a `run.Run` of a configuration (`settings`: the one that holds in an archive); `crew` keeps several
proposals in flight and `ongoing` gives up what is under way; `pursuit` has a strategy at work; `rederive` makes
recorded choices again; `embedding` is all of it for other programs.
"""
