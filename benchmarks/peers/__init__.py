"""What others reach on the same tasks with the same training: one way a file, each a function Contest → points."""
