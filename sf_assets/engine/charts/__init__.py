"""Pictures for people: small SVG texts, readable on a light and on a dark page, embedded in the pages of the assets."""
