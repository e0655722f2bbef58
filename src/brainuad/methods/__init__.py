"""One file per published method: how it trains and how it scores."""
