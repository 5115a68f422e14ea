"""Every figure that the README shows is measured by a script in this folder."""
