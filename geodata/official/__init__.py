"""Importers of NHS and ONS files, one family of modules per format."""
