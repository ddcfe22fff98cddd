"""TFX components, blind to tasks."""
