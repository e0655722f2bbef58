"""One file per data set: the layout in which it is published."""
