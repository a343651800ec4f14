"""Pure metrics: arrays in, numbers out. No files, no networks, and no figures of a single benchmark."""
