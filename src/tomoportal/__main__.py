"""`python -m tomoportal`: the command line."""

from tomoportal.cli import main

if __name__ == "__main__":
    main()
