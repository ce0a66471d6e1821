"""Other products, each in an environment of its own with its own lock."""
