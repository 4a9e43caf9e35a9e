"""x"""

TABLES = ()
SUITES = {}
