"""Index notation: what an entry computes, turned into operations on whole arrays."""
