"""An island: its records, who may write them, how it keeps and shares them."""

__version__ = "0.1.0"
