"""What happens inside training: the task contract, the tasks, and what they share. Knows no TFX component."""
