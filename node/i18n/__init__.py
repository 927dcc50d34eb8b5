"""What is said to people, in their language: catalogues, and sentences that are filled only once they are translated."""
