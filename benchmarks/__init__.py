"""What the product costs, beside the same work done by others; `python -m benchmarks` runs it all."""
