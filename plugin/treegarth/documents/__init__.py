"""Documents that people write and that act: named, versioned, on or off, kept with every change."""
