"""Values and gradients by hand."""
