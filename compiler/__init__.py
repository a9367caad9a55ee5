"""From a checked graph to a module: derivatives, passes, schedule, Python."""
