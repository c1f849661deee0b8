#!/usr/bin/env python3
"""Whether a WAV file of 16 bits holds speech: more than a twentieth of a second of it over -30 dBFS.

    tests/lab/loud.py FILE      prints true or false; a file that is not there or no WAV holds none
"""
import array
import sys
import wave


def loud(path):
    try:
        with wave.open(str(path)) as f:
            samples = array.array("h", f.readframes(f.getnframes()))
    except (OSError, EOFError, wave.Error):
        return False
    return sum(1 for s in samples if abs(s) > 1000) > 800


if __name__ == "__main__":
    print("true" if loud(sys.argv[1]) else "false")
