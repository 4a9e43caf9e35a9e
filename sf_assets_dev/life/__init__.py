"""A scripted life of three months: what an operator meets, what they see, and how many steps it takes to be green again."""
