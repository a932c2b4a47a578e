"""Pure decisions: which practices group with whom, at which scale, and who commissions what. No file formats, no maps."""
