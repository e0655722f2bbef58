"""Figures by kind; `draw` turns a figure's settings and a study's results into files."""
