"""What a premise is, how it is read out of Lean sources, and the artefact on disk. Imports nothing of Tacit's."""

if __name__ == "index":
    raise ImportError("import this package as tacit.index")
