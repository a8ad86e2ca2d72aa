"""What the hostile scenes share: how one is called by its name, and how it fails."""
import os
import sys


class Broken(AssertionError):
    pass


def need(condition, text):
    if not condition:
        raise Broken(text)


def main(functions, play) -> int:
    """SCRIPT: the scenes' names. SCRIPT DRIVER NAME: `play(function, driver)`."""
    scenes = {function.__name__.replace("_", "-"): function for function in functions}
    if len(sys.argv) < 3:
        print("\n".join(scenes))
        return 0
    if os.geteuid() != 0:
        print("skipped: needs root")
        return 77
    try:
        play(scenes[sys.argv[2]], sys.argv[1])
    except Broken as broken:
        print(f"{sys.argv[2]}: {broken}", file=sys.stderr)
        return 1
    return 0
