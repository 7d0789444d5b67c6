"""The model worker process. The only place that may import llama_cpp; not built yet."""
