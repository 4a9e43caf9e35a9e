"""What every part of the project means by its words: columns, rules, tables, months, delays, failures. No I/O."""
