"""The portal: pages, forms and feeds over the board."""
