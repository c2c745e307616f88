"""Batches on their way to a provider and back: filled by `generation.engine.postponing`, read for those who wait."""
