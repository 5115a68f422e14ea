"""What a watch or a strap knows of a day: heart rate, activity, sleep."""
