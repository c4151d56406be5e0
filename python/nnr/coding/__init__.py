"""Model to bytes and back."""
