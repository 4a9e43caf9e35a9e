"""Activities of the synthetic companies: codes of NAF rev. 2 and NAF 2025, and the economics of their sections."""

from dataclasses import dataclass

import numpy as np

from sf_assets_dev.synthetic.timeline import Floats, Ints


@dataclass(frozen=True, slots=True)
class Section:
    """One section of NAF rev. 2 and its economics.

    `weight` is its share of employers of ten staff and more, in percent; `risk` multiplies its failures; `wage` is the
    gross monthly wage in euros; `turnover` the yearly turnover per head in thousands of euros; `margin` its EBE over
    turnover; `crisis` the share of its companies on short-time work at the worst of 2020; `idle` multiplies their
    propensity in normal times; `words` are the trades its companies are named after.
    """

    letter: str
    weight: float
    risk: float
    wage: float
    turnover: float
    margin: float
    crisis: float
    idle: float
    words: str


SECTIONS = (
    Section("A", 1.0, 0.70, 2100, 120, 0.12, 0.15, 0.3, "DOMAINE VERGERS PÉPINIÈRES"),
    Section("C", 16.0, 0.85, 2900, 230, 0.09, 0.62, 3.0, "ATELIERS MÉCANIQUE FONDERIE USINAGE FABRIQUE"),
    Section("E", 0.8, 0.60, 2600, 190, 0.11, 0.30, 0.6, "RECYCLAGE ENVIRONNEMENT"),
    Section("F", 14.0, 1.45, 2450, 150, 0.06, 0.78, 1.4, "CONSTRUCTIONS BÂTIMENT MENUISERIE TOITURES TRAVAUX"),
    Section("G", 22.0, 1.00, 2450, 420, 0.04, 0.52, 0.5, "COMPTOIR DISTRIBUTION NÉGOCE MAISON"),
    Section("H", 6.0, 1.30, 2500, 130, 0.07, 0.50, 0.7, "TRANSPORTS LOGISTIQUE MESSAGERIE"),
    Section("I", 9.0, 1.45, 1950, 75, 0.08, 0.90, 0.6, "HÔTEL TABLE BRASSERIE AUBERGE"),
    Section("J", 5.0, 0.80, 3900, 180, 0.10, 0.25, 0.2, "SYSTÈMES STUDIO ÉDITIONS DONNÉES"),
    Section("K", 0.8, 0.50, 3700, 260, 0.14, 0.15, 0.1, "PARTICIPATIONS HOLDING"),
    Section("L", 2.0, 0.80, 2800, 210, 0.15, 0.35, 0.2, "IMMOBILIER GESTION"),
    Section("M", 9.5, 0.75, 3500, 140, 0.10, 0.35, 0.3, "CABINET CONSEIL INGÉNIERIE BUREAU"),
    Section("N", 8.0, 1.15, 2150, 90, 0.06, 0.50, 0.6, "SERVICES PROPRETÉ INTÉRIM SÉCURITÉ"),
    Section("P", 2.0, 0.95, 2300, 70, 0.07, 0.45, 0.3, "FORMATION ÉCOLE"),
    Section("Q", 6.5, 0.45, 2250, 65, 0.06, 0.25, 0.1, "RÉSIDENCE CLINIQUE SOINS"),
    Section("R", 2.2, 0.95, 2200, 90, 0.08, 0.85, 0.4, "SPECTACLES LOISIRS CLUB"),
    Section("S", 3.2, 0.95, 2100, 65, 0.07, 0.60, 0.3, "ASSOCIATION COIFFURE PRESSING"),
)

# NAF rev. 2, NAF 2025, weight within the section.
_CODES = {
    "A": "01.13Z 01.13Y 3|01.21Z 01.21Y 4|01.30Z 01.30Y 2|02.20Z 02.20Y 1",
    "C": "10.71C 10.71H 7|10.13A 10.13G 2|16.23Z 16.23Y 3|18.12Z 18.12Y 4|20.30Z 20.30Y 1|22.22Z 22.22Y 2"
    "|25.50B 25.40Y 2|25.62B 25.53Y 8|28.22Z 28.22Y 2|31.09B 31.00G 2|33.12Z 33.12Y 4|11.02B 11.02H 2",
    "E": "38.11Z 38.11Y 3|38.32Z 38.21Y 3|37.00Z 37.00Y 1",
    "F": "41.20A 41.00G 4|41.20B 41.00H 6|43.12A 43.12G 6|43.21A 43.21G 10|43.22A 43.22G 8|43.32A 43.32G 8"
    "|43.34Z 43.34G 6|43.91B 43.41H 5|43.99C 43.91Y 12",
    "G": "45.11Z 46.71G 6|45.20A 95.31G 7|46.31Z 46.31Y 3|46.73A 46.83G 5|46.69B 46.64J 6|46.90Z 46.90Y 5"
    "|47.11F 47.11K 3|47.11D 47.11J 8|47.71Z 47.71Y 6|47.59A 47.55G 4|47.52B 47.52H 4",
    "H": "49.41A 49.41G 9|49.41B 49.41H 10|49.39B 49.32Y 3|52.29A 52.25Y 3|53.20Z 53.20G 3",
    "I": "55.10Z 55.10Y 9|56.10A 56.11G 22|56.10C 56.11J 9|56.30Z 56.30Y 2|56.29B 56.22Y 2",
    "J": "58.14Z 58.13Y 1|59.11B 59.11H 1|62.01Z 62.10Y 8|62.02A 62.20G 10|63.11Z 63.10Y 2",
    "K": "64.20Z 64.21Y 1",
    "L": "68.20B 68.20H 4|68.31Z 68.31Y 6|68.32A 68.32H 5",
    "M": "69.10Z 69.10Y 5|69.20Z 69.20Y 8|70.10Z 70.10Y 5|70.22Z 70.20Y 8|71.12B 71.12Y 10"
    "|73.11Z 73.11Y 4|71.11Z 71.11Y 3",
    "N": "78.20Z 78.20G 4|80.10Z 80.01Y 4|81.21Z 81.21Y 10|81.30Z 81.30Y 4|82.99Z 82.99Y 4|77.39Z 77.39Y 3",
    "P": "85.59A 85.59G 6|85.53Z 85.53Y 3|85.60Z 85.69Y 1",
    "Q": "86.10Z 86.10Y 2|86.90A 86.92Y 4|87.10A 87.10G 5|88.10A 88.10G 6|88.91A 88.91G 5|86.21Z 86.21Y 3",
    "R": "90.01Z 90.20Y 3|93.11Z 93.11Y 2|93.12Z 93.12Y 4|93.29Z 93.29Y 3|93.13Z 93.13Y 2",
    "S": "94.99Z 94.99Y 8|95.11Z 95.10Y 2|96.01A 96.10G 1|96.02A 96.21G 6|96.03Z 96.30Y 2",
}

# Codes of NAF rev. 2 that split: the second code of NAF 2025, which one company in three has. For the last two, NAF 2025 moves
# the activity to another section, or into one that the perimeter excludes: only INSEE's correspondence decides there.
SPLITS = {
    "53.20Z": "53.20H", "56.10C": "56.12Y", "43.34Z": "43.34H", "96.02A": "96.21H", "82.99Z": "46.19H", "88.91A": "85.10Y",
}  # fmt: skip

# Activities and legal categories that the perimeter excludes: NAF rev. 2, NAF 2025, legal category.
_EXCLUDED = (
    ("64.19Z", "64.19Y", "5599"), ("66.22Z", "66.22Y", "5499"), ("85.31Z", "85.31Y", "9220"),
    ("94.11Z", "94.11Y", "8490"), ("65.12Z", "65.12Y", "6411"), ("94.91Z", "94.91Y", "9240"),
)  # fmt: skip
_PUBLIC = (
    ("84.11Z", "84.11Y", "7210"), ("84.11Z", "84.11Y", "7346"), ("87.10A", "87.10G", "7366"),
    ("84.12Z", "84.12Y", "7389"), ("36.00Z", "36.00Y", "4140"),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Activities:
    """The activities a company may have, as parallel arrays; ordinary ones first, then excluded, then public."""

    naf: tuple[str, ...]
    naf25: tuple[str, ...]
    section: Ints
    weight: Floats
    category: tuple[str, ...]
    excluded: tuple[int, int]
    public: tuple[int, int]


def _activities() -> Activities:
    naf, naf25, section, weight = [], [], [], []
    for number, of_section in enumerate(SECTIONS):
        rows = [row.split() for row in _CODES[of_section.letter].split("|")]
        total = sum(float(row[2]) for row in rows)
        for old, new, share in rows:
            naf.append(old)
            naf25.append(new)
            section.append(number)
            weight.append(of_section.weight * float(share) / total)
    ordinary = len(naf)
    fallback = [item.letter for item in SECTIONS].index("S")
    category = [""] * ordinary
    for old, new, legal in (*_EXCLUDED, *_PUBLIC):
        naf.append(old)
        naf25.append(new)
        section.append(fallback)
        weight.append(0.0)
        category.append(legal)
    end = ordinary + len(_EXCLUDED)
    share_of_all = np.asarray(weight, dtype=np.float32) / sum(weight)
    return Activities(
        naf=tuple(naf),
        naf25=tuple(naf25),
        section=np.asarray(section, dtype=np.int64),
        weight=share_of_all.astype(np.float32),
        category=tuple(category),
        excluded=(ordinary, end),
        public=(end, len(naf)),
    )


ACTIVITIES = _activities()


def of_section(attribute: str) -> Floats:
    """Return one economic figure of every section, in the order of `SECTIONS`."""
    return np.asarray([getattr(section, attribute) for section in SECTIONS], dtype=np.float32)
