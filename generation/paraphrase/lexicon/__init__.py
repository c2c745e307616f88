"""Words that may differ between two wordings, and words that say how the others belong together."""
