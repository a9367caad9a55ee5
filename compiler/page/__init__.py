"""One self-contained HTML page for a specification, and the server that shows it while it is
written."""
