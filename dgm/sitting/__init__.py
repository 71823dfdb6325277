"""One sitting of a run, from `dgm run` or `dgm resume` to its end.

`start` makes a `run.Run` of a configuration (`settings`: the one that holds in an archive) and measures the `root`;
`crew` keeps several proposals in flight; `pursuit` has a strategy at work, and `measuring` gathers what it wants to
know; `rederive` makes recorded choices again.
"""
