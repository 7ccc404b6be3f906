"""The report of a period in files: CSV, JSON, XLSX, PDF, and all of them in a ZIP, out of one result."""
