"""`python -m bursar` is the `bursar` command."""

from bursar.faces.cli import main

if __name__ == "__main__":
    main()
