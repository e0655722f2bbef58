"""Synthetic reports with known labels, written from sentence templates."""
