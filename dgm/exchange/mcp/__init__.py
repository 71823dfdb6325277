"""Archives as read-only tools of the Model Context Protocol, for people who ask their assistant about a run.

`tools` answers the questions, `server` speaks the protocol on stdin and stdout. Nothing here writes. An assistant that
also submits children must not see what judges keep from meta agents: transcripts are those of train alone, unless the
person says otherwise.
"""
