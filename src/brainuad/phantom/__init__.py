"""Simulated heads, lesions and spreadsheets in the layouts of the published data sets."""
