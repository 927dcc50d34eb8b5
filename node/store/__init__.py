"""What is kept on the card: the journal, the archive, backups. docs/store.md tells how."""
