"""The sidecar: LSP server, Lean child process, tactic sources, checker and command line."""

if __name__ == "server":
    raise ImportError("import this package as tacit.server")
