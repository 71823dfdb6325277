"""Archives and the world outside: files of other forms (`exports`), runs of other systems (`importers`), experiment
trackers (`trackers`), assistants (`mcp`).
"""
