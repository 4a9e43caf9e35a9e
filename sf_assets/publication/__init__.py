"""Publication: the list of a month frozen in a folder that nothing writes to again, and one folder for each recipient."""
