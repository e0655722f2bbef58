"""Post-processing, metrics, thresholds, detection, strata and significance."""
