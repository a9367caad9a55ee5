"""``gradc grade``: a gradient written by hand, compared and its mistakes named."""
