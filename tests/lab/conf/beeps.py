#!/usr/bin/env python3
"""Beeps of a conference's members, and who was heard in a recording.

  beeps.py make DIR NAME...                    writes DIR/NAME.wav: beeps of a pitch of its own at random times
  beeps.py judge DIR DEAD NAME=SECONDS...      reads DIR/NAME-heard.wav; DEAD was killed SECONDS before its end

judge prints a table, and exits 1 when a member did not hear one that it should have, or heard itself.
"""
import array
import cmath
import math
import random
import sys
import wave

RATE = 16000
LENGTH = 180.0  # seconds
BEEP = 0.3
PAUSE = (0.8, 2.4)
PITCHES = (500, 730, 1070, 1310, 1790)  # none a multiple of another
NAMES = ("alice", "bob", "carol", "dave", "erin")
LOUD = 1200  # of 6000
WINDOW = 0.08


def make(folder, names):
    for number, name in enumerate(names):
        chance = random.Random(number + 1)
        sound = array.array("h", bytes(2 * int(LENGTH * RATE)))
        at = chance.random() * PAUSE[1]
        while at + BEEP < LENGTH:
            first = int(at * RATE)
            for i in range(int(BEEP * RATE)):
                sound[first + i] = int(6000 * math.sin(2 * math.pi * PITCHES[number] * i / RATE))
            at += BEEP + chance.uniform(*PAUSE)
        with wave.open(f"{folder}/{name}.wav", "wb") as out:
            out.setnchannels(1)
            out.setsampwidth(2)
            out.setframerate(RATE)
            out.writeframes(sound.tobytes())


def heard(path):
    """For each pitch the times at which it is there, in seconds."""
    with wave.open(path, "rb") as wav:
        rate = wav.getframerate()
        sound = array.array("h", wav.readframes(wav.getnframes()))
    every = 6  # 48 kHz to 8 kHz: pitches stay far under its half
    low = sound[::every]
    rate //= every
    size = int(WINDOW * rate)
    waves = [[cmath.exp(-2j * math.pi * pitch * i / rate) for i in range(size)] for pitch in PITCHES]
    times = [[] for _ in PITCHES]
    for at in range(0, len(low) - size, size):
        part = low[at : at + size]
        if max(part) < LOUD // 2:
            continue
        for pitch, turn in enumerate(waves):
            if 2 * abs(sum(s * t for s, t in zip(part, turn))) / size > LOUD:
                times[pitch].append(at / rate)
    return times, len(low) / rate


def judge(folder, dead, lived):
    good = True
    print(f"{'':8}" + "".join(f"hears {name:<12}" for name in NAMES))
    for entry in lived:
        name, seconds = entry.split("=")
        times, length = heard(f"{folder}/{name}-heard.wav")
        death = length - float(seconds)
        cells = []
        for number, other in enumerate(NAMES):
            before = sum(1 for t in times[number] if t < death)
            after = [t for t in times[number] if t > death + 0.5]
            if other == name:
                cells.append("itself: NOT OK" if times[number] else "")
                good = good and not times[number]
            elif other == dead:
                cells.append("until it died" if before else "never: NOT OK")
                good = good and before > 0
            else:
                cells.append("before and after" if before and after else "NOT OK")
                good = good and before > 0 and bool(after)
        print(f"{name:8}" + "".join(f"{cell:<18}" for cell in cells))
    print("OK: all hear on, and nobody left." if good else "NOT OK: somebody was not heard.")
    return 0 if good else 1


if len(sys.argv) > 3 and sys.argv[1] == "make":
    make(sys.argv[2], sys.argv[3:])
elif len(sys.argv) > 4 and sys.argv[1] == "judge":
    sys.exit(judge(sys.argv[2], sys.argv[3], sys.argv[4:]))
else:
    sys.exit(__doc__)
