"""The programs of GradBench as specifications, and a tool that evaluates them.

``python -m gradc.examples.gradbench`` reads messages from standard input, one JSON object a line,
and answers each on standard output.
"""
