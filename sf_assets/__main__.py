"""`python -m sf_assets`: the same as the command `sf`."""

from sf_assets.commands.app import main

if __name__ == "__main__":
    main()
