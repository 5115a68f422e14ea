"""Float models as their users would write them: one file per architecture, each with `make()`."""
