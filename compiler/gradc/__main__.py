"""``python -m gradc`` is the command ``gradc``."""

from .compiler.cli import main

if __name__ == "__main__":
    main()
