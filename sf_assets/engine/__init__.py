"""How tables are stored, checked, and made into assets, whatever they hold. Knows no table by name."""
