"""Back-propagation written out as on a homework sheet: a record of all that is to be said, and a
file for each format that says it."""
