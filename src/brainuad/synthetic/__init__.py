"""Test sets with known anomalies, planted into healthy scans."""
