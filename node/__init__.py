"""An island: its records, who may write them, how it keeps and shares them."""
