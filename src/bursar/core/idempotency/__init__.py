"""Once: the first answer to a key is kept with its effect, and every later request with that key gets it back."""
