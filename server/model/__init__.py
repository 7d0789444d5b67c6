"""The local model: a worker process of its own, what is said to it, and how the models that exist are asked.

`client` is the sidecar's end, `worker` the other; `messages` is all that they share. `llama` alone imports llama_cpp.
"""
