"""What the pretended model answers, whatever the dialect it is asked in."""
