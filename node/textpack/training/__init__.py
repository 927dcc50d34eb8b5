"""Makes the frozen models: not shipped, run by hand (see NOTICE)."""
