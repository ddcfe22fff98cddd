"""Speed and memory, each measured side by side with what it is compared to. `python -m benchmarks` runs all of them."""
