"""A street map of an OpenStreetMap extract: what lies around is read, drawn, and held to its weight."""
