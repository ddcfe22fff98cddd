"""What all tests need before anything is imported."""

import os
import signal

os.environ["TF_USE_LEGACY_KERAS"] = "1"  # whichever test imports TensorFlow first, it is the one that Benison runs on
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "2"

signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell has what it runs in the background ignore it
