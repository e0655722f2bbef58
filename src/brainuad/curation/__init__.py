"""From radiology reports to a normal cohort: labels, filters, review and the flow of patients."""
