"""The runtime for live signals: source → artifact → decision → sink. numpy alone; torch is never imported."""
