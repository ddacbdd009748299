#!/usr/bin/env python3
"""Writes the example docs/examples/contacts.csv to stdout: 200 made-up people, always the same ones.

Every domain is reserved for examples (RFC 2606) and every telephone number lies in a range that the German regulator
keeps for films, so that nobody can be reached by them.
"""
import csv
import datetime
import random
import sys

ROWS = 200
FIRST = ("Änne Jürgen Zoë Björn Lea Günther Özlem Matthias Käthe Søren Łukasz Renée Hannah Jörg Ümit Sabine Thi Mai "
         "Anaïs Frauke Emil Ida Wolfgang Mária Niklas Cosima Tarek Ruth Dörte Aleksandra Heiner").split()
LAST = ("Müller Groß Weiß Jäger Schröder Größler Özdemir Dvořák Lindström Bäcker Naß von-der-Höhe Köhler Böhm Krüger "
        "Vogel Straßer Nguyễn Sørensen Wiśniewska Hübner Fuß Winter Ziegler Oehme Aßmann Löffler Petersen O'Brien "
        "Hernández").split()
STREETS = ["Hauptstraße", "Gartenweg", "Am Mühlgraben", "Königsallee", "Schloßgasse", "Bürgerwiese", "Äußere Ringstraße"]
PLACES = [("01067", "Dresden"), ("04109", "Leipzig"), ("06108", "Halle (Saale)"), ("07743", "Jena"), ("09111", "Chemnitz"),
          ("10115", "Berlin"), ("20095", "Hamburg"), ("50667", "Köln"), ("80331", "München"), ("90402", "Nürnberg"),
          ("97070", "Würzburg"), ("99084", "Erfurt")]
PHONES = ["030 23125 {:03}", "069 90009 {:03}", "040 66969 {:03}", "0221 4710 {:03}", "+49 89 99998 {:03}"]
NOTES = ["Bitte nur nachmittags anrufen.", "Möchte Rechnungen auf Papier.\nAnschrift wurde 2024 geändert.",
         'Sagt: "Bitte kein Katalog".', "Lieferung; Abholung nach Absprache", "Stammkunde seit der Eröffnung,\n\nkommt oft zu zweit."]
ASCII = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "ß": "ss", "ø": "oe", "ł": "l", "ř": "r", "á": "a", "é": "e", "ë": "e",
                       "ï": "i", "ś": "s", "ễ": "e", "'": "", " ": "-"})


def german_decimal(cents):
    whole = f"{cents // 100:,}".replace(",", ".")
    return f"{whole},{cents % 100:02}"


def person(rng, number):
    first, last = rng.choice(FIRST), rng.choice(LAST).replace("von-der-", "von der ")
    mailbox = f"{first}.{last}".lower().translate(ASCII)
    plz, place = rng.choice(PLACES)
    born = datetime.date(1935, 1, 1) + datetime.timedelta(days=rng.randrange(365 * 72))
    sometimes = lambda share, value: value if rng.random() < share else ""
    return [f"{first} {last}", f"{mailbox}.{number}@example.{rng.choice(['org', 'com', 'net'])}",
            sometimes(0.8, rng.choice(PHONES).format(number % 1000)),
            sometimes(0.9, f"{rng.choice(STREETS)} {rng.randrange(1, 180)}{rng.choice(['', '', '', 'a', 'b'])}"), plz, place,
            sometimes(0.85, born.strftime("%d.%m.%Y")), f"{number * 37:06}",
            sometimes(0.7, german_decimal(rng.randrange(50, 4_500_000))), rng.choice(["ja", "nein"]),
            sometimes(0.2, rng.choice(NOTES))]


def main():
    rng = random.Random(20251231)
    sys.stdout.reconfigure(encoding="utf-8", newline="")
    out = csv.writer(sys.stdout, delimiter=";", lineterminator="\n")
    out.writerow(["Name", "E-Mail", "Telefon", "Straße", "PLZ", "Ort", "Geboren", "Kundennummer", "Umsatz", "Newsletter", "Notiz"])
    out.writerows(person(rng, number) for number in range(1, ROWS + 1))


if __name__ == "__main__":
    main()
