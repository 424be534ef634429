"""`python -m eigenscope`."""

from eigenscope.cli import main

if __name__ == "__main__":
    main()
