"""The island's dealings with the world: files, threads, processes, the command line. The core knows nothing of it."""
