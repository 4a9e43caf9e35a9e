"""What developers use besides the product: synthetic companies, played faults, benchmark, demonstration. Not in the wheel."""
