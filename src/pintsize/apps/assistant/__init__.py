"""The voice assistant: wake word → an order or a digit → an action and a reply, all on the device."""
