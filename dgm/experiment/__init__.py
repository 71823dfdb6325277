"""Experiments: variants of one configuration, each repeated with several random seeds, run and reported as one.

`plan` reads the file and says which runs it takes, `conduct` makes them in processes of their own, `worker` is one of
these, `journal` remembers what was begun and what ended; `outcome` reads the results, `contrast` compares them with
the baseline, `present` and `page` show them. A run of an experiment is an archive like any other.

On disk: `archive/<experiment>/<variant>-<seed>/` are the archives; beside them lie `experiment.toml` (the file as it
was given last), `journal.jsonl`, and `report.html`. Not covered: choosing what to vary.
"""
