"""The page and the table that show a report."""
