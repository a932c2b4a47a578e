"""The partition engine: one problem, reused at every scale (docs/method.md)."""
