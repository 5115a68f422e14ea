"""Pictures: a chest X-ray, blood cells, or a user's own classes; each answered, or refused with the reason."""
