"""The page of a list: one HTML file that an officer opens without network, with a sheet for each company."""
