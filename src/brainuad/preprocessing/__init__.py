"""From raw scans to arrays: registration, skull stripping, bias correction, recipes, packing, splits."""
