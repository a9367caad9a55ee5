"""Graphs as pictures: what is shown, where, and as SVG, PNG or text for Graphviz."""
