"""Simulated head CTs in Hounsfield units, with the findings that the tables of a phantom hospital name."""
