"""Search over proof states; not built yet."""
