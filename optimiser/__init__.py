"""Pure decisions: who groups with whom, at which scale, and who commissions what. No file formats, no maps."""
