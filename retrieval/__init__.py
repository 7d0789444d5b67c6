"""Query or goal in, ranked premises out. Imports `tacit.index` only."""

if __name__ == "retrieval":
    raise ImportError("import this package as tacit.retrieval")
