"""One file per data set: finds its subjects and reads them; nothing else knows its layout."""
