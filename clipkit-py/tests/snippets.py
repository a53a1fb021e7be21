"""The Python programs in a Markdown file: snippets.py FILE NUMBER prints one of them."""

import pathlib
import re
import sys


def of(path):
    return re.findall(r"^```python\n(.*?)^```$", pathlib.Path(path).read_text(), re.M | re.S)


if __name__ == "__main__":
    print(of(sys.argv[1])[int(sys.argv[2])], end="")
