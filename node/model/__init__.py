"""Values that everything else rests on: the record, keys, moments, errors. No state, no I/O."""
