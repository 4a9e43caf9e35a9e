"""The rest of INSEE's register: the three files of a whole stock, written around the followed companies."""
