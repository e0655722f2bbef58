"""What each page of the HTML report shows, as plain values for its template."""
