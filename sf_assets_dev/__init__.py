"""Development tools, outside the wheel: synthetic companies, faults, benchmark, demonstration, generated pages."""
