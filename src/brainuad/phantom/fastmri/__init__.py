"""The phantom of fastMRI: thick T1 slices with the findings, boxes and labels of FastMRI+."""
