"""The island's dealings with the world: files, threads, processes, links. The core knows nothing of it."""
