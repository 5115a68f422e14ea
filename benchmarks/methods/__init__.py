"""Methods beyond pruning, quantization and distillation: which of them pay, and which stay out."""
