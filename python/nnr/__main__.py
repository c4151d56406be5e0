"""``python -m nnr`` is ``nnr``."""

from .cli import main

if __name__ == "__main__":
    main()
