"""Noise fields: Gaussian, coarse, simplex, pyramidal."""
