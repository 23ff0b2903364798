"""`python -m isoglot`: the program, as torchrun starts it."""

from isoglot.cli.main import main

if __name__ == "__main__":
    main()
