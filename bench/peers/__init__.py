"""What we race against, each in a process of its own."""
