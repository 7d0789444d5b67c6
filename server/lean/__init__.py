"""The Lean server child process: transport, documents, positions, scratch documents, checker."""
