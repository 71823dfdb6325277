"""What an archive says, in words, tables and objects, for whoever shows it: commands, files, figures, assistants.

`report` reads an archive; `table` is the form in which most of it comes; `text` writes values for people. Nothing here
prints.
"""
