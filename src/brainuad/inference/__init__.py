"""Volumes in, anomaly maps out."""
