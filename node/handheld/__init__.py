"""Text messages of radios in the hand: a question comes in, one answer that fits a message goes out. docs/radio-text.md."""
