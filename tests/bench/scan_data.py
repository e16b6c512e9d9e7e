#!/usr/bin/env python3
"""Texts to scan, the same bytes for the same arguments: clinical notes with personal data here and there, and text without
any (numbers, tables of them, hashes, logs, embeddings, UUIDs) for false hits.

  scan_data.py notes FILE [--megabytes N]
  scan_data.py negatives DIRECTORY [--megabytes N]     one file a kind, N megabytes together
"""

import argparse
import pathlib
import random

SENTENCES = """
The patient reports mild discomfort in the lower abdomen that began after dinner and resolved without treatment.
Lungs are clear to auscultation bilaterally and there is no peripheral edema.
Blood pressure was {bp} and the heart rate was {n2} beats per minute at rest.
Continue metformin {n3} mg twice a day with food and return to clinic in {n1} weeks.
There is no evidence of acute fracture, although the joint space has narrowed since the previous study.
Laboratory values show a hemoglobin of {f1} g/dL, a white cell count of {f1} and a creatinine of {f2}.
She denies chest pain, shortness of breath, nausea, vomiting, or changes in weight.
The wound is healing well, the sutures were removed, and no drainage was observed.
We discussed the risks and benefits of the procedure at length and all questions were answered.
An echocardiogram demonstrated normal systolic function with an ejection fraction of {n2} percent.
Dose 1/2 tablet by mouth every {n1} hours as needed for pain, not to exceed {n1} tablets in a day.
Physical therapy will continue {n1} times a week and the brace should be worn during activity.
The family history is notable for hypertension and type 2 diabetes on the maternal side.
Imaging of the chest shows no infiltrate, effusion or pneumothorax; the cardiac silhouette is normal in size.
Vital signs were stable overnight and the patient tolerated a regular diet without difficulty.
Sleep has improved with the change in medication, and appetite is described as fair.
""".strip().splitlines()
PERSONAL = """
{first} {last} was seen on {date} for follow up.
Dr. {last} was called at ({n3}) 555-0{n3} and agreed with the plan.
MRN: {n8}, date of birth {date}.
Contact: {lower}@example.org, phone {n3}-555-0{n3}.
Lives at {n2}{n1} {last} Street, Springfield, IL 627{n2}.
SSN {ssn} is on file; insurance member id is AB{n8}.
The results were sent from 10.{n2}.{n2}.{n2} and are at https://portal.example.org/r/{n8}.
The card 4111 1111 1111 1111 was charged.
""".strip().splitlines()
FIRST = "Maria James Linda Robert Susan David Karen Thomas Nancy Daniel Laura Kevin Emily Brian Julia Peter".split()
LAST = "Gonzalez Thompson Nguyen Patterson Fletcher Okafor Lindqvist Hartmann Delaney Whitfield Kowalski Barrett".split()
PERSONAL_SHARE = 0.12
LEVELS = "INFO WARN DEBUG ERROR".split()
MODULES = "http.server storage.cas scheduler worker gc.plan release.gate metrics".split()
EVENTS = ("request finished in {f2} ms", "chunk {hex16} written, {n8} bytes", "retry {n1} of 5 after {n3} ms",
          "queue depth {n3}, {n2} workers busy", "epoch {n2}/100 loss={f6} acc={f4}", "heap {n3} MiB of {n4} MiB",
          "span {uuid} closed", "checkpoint step={n8} sha256:{hex64}", "rate {f2}/s p99={f2} ms")


class Filler:
    def __init__(self, rng):
        self.rng = rng

    def digits(self, count):
        return str(self.rng.randrange(10 ** (count - 1), 10 ** count))

    def number(self, fewest, most):
        return self.digits(self.rng.randrange(fewest, most))

    def hexadecimal(self, count):
        return f"{self.rng.getrandbits(4 * count):0{count}x}"

    def uuid(self):
        h = self.hexadecimal(32)
        return "-".join((h[:8], h[8:12], "4" + h[13:16], "a" + h[17:20], h[20:]))

    def fill(self, template):
        rng = self.rng
        last = rng.choice(LAST)
        return template.format(
            n1=self.digits(1), n2=self.digits(2), n3=self.digits(3), n4=self.digits(4), n8=self.digits(8),
            f1=f"{rng.uniform(4, 16):.1f}", f2=f"{rng.uniform(0, 900):.2f}", f4=f"{rng.random():.4f}",
            f6=f"{rng.random():.6f}", bp=f"{rng.randrange(95, 170)}/{rng.randrange(55, 100)}",
            date=f"{rng.randrange(1, 13):02}/{rng.randrange(1, 29):02}/{rng.randrange(1930, 2026)}",
            ssn=f"{rng.randrange(100, 665)}-{rng.randrange(10, 99)}-{rng.randrange(1000, 9999)}",
            first=rng.choice(FIRST), last=last, lower=last.lower(), uuid=self.uuid(), hex16=self.hexadecimal(16),
            hex64=self.hexadecimal(64))


def notes(rng, size_bytes):
    filler, out, size = Filler(rng), [], 0
    while size < size_bytes:
        lines = [filler.fill(rng.choice(PERSONAL if rng.random() < PERSONAL_SHARE else SENTENCES))
                 for _ in range(rng.randrange(6, 30))]
        text = " ".join(lines) + "\n\n"
        out.append(text)
        size += len(text)
    return "".join(out)


def log_lines(rng):
    filler, second = Filler(rng), 0.0
    while True:
        second += rng.expovariate(3)
        clock = f"+{second:.3f}s"
        yield f"{clock} {rng.choice(LEVELS)} {rng.choice(MODULES)}: {filler.fill(rng.choice(EVENTS))}"


def repeat(line):
    def lines(rng):
        filler = Filler(rng)
        while True:
            yield line(rng, filler)
    return lines


KINDS = {
    "floats.csv": repeat(lambda r, f: ",".join(f"{r.gauss(0, 40):.{r.randrange(1, 12)}f}" for _ in range(8))),
    "integers.csv": repeat(lambda r, f: ",".join(str(r.randrange(10 ** r.randrange(1, 13))) for _ in range(8))),
    "hashes.txt": repeat(lambda r, f: f"{f.hexadecimal(40)} {f.hexadecimal(r.choice((7, 12, 40, 64)))}"),
    "uuids.txt": repeat(lambda r, f: f.uuid()),
    "embeddings.json": repeat(lambda r, f: "[" + ", ".join(f"{r.gauss(0, 1):.7f}" for _ in range(64)) + "],"),
    "science.txt": repeat(lambda r, f: " ".join(f"{r.gauss(0, 1) * 10 ** r.randrange(-9, 9):.{r.randrange(1, 6)}e}"
                                                for _ in range(6))),
    "service.log": log_lines,
    "numbers.txt": repeat(lambda r, f: " ".join(f.number(1, 12) for _ in range(10))),
    "table.tsv": repeat(lambda r, f: "\t".join(f.number(2, 11) for _ in range(6))),
    "padded.txt": repeat(lambda r, f: " ".join(f.number(1, 10).rjust(10) for _ in range(6))),
    "few_columns.txt": repeat(lambda r, f: " ".join(f.number(2, 8) for _ in range(r.randrange(1, 5)))),
    "long_ids.txt": repeat(lambda r, f: f.number(8, 20)),
    "ids.json": repeat(lambda r, f: "[" + ", ".join(f.number(9, 20) for _ in range(8)) + "],"),
    "records.jsonl": repeat(lambda r, f: f'{{"seq":{f.number(9, 11)},"ref":"{f.number(13, 20)}","n":{f.number(1, 10)}}}'),
    "epochs.log": repeat(lambda r, f: f"{r.randrange(10 ** 9, 2 * 10 ** 9)} {r.randrange(10 ** 12, 2 * 10 ** 12)} "
                                      f"job {f.number(9, 11)} of {f.number(12, 20)}, call took {f.number(2, 6)} us"),
    "hexdump.txt": repeat(lambda r, f: f"{r.getrandbits(28):08x}: "
                                       + " ".join(f.hexadecimal(4) for _ in range(8))),
    "upper_hashes.txt": repeat(lambda r, f: f.hexadecimal(r.choice((8, 9, 10, 11, 12, 16, 32, 40, 64))).upper()),
    "measures.txt": repeat(lambda r, f: f"v{r.randrange(9)}.{r.randrange(30)}.{r.randrange(99)} "
                                        f"{r.randrange(2000)}x{r.randrange(2000)} {r.uniform(0, 100):.1f}% "
                                        f"${r.randrange(10 ** 6):,}.00 {r.randrange(10 ** 9):,} rows"),
}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("what", choices=("notes", "negatives"))
    parser.add_argument("target", type=pathlib.Path)
    parser.add_argument("--megabytes", type=float, default=8)
    arguments = parser.parse_args()
    size_bytes = int(arguments.megabytes * 1e6)
    if arguments.what == "notes":
        arguments.target.write_text(notes(random.Random(7), size_bytes))
        return
    arguments.target.mkdir(parents=True, exist_ok=True)
    for name, lines in KINDS.items():
        rng, out, size = random.Random(name), [], 0
        for line in lines(rng):
            out.append(line)
            size += len(line) + 1
            if size >= size_bytes / len(KINDS):
                break
        (arguments.target / name).write_text("\n".join(out) + "\n")


if __name__ == "__main__":
    main()
