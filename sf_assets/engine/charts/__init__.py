"""Charts: small SVG texts, legible on light and dark pages, embedded in the pages of the assets."""
