"""Places and names of the synthetic companies: real prefectures, invented streets and names."""

from dataclasses import dataclass

import numpy as np
import polars as pl

from sf_assets_dev.synthetic.activities import SECTIONS
from sf_assets_dev.synthetic.timeline import Floats, Ints

# Department, commune code, postal code, name, latitude, longitude, weight: one prefecture per department.
_PREFECTURES = """
01 01053 01000 BOURG-EN-BRESSE 46.21 5.23 9|02 02408 02000 LAON 49.56 3.62 5|03 03190 03000 MOULINS 46.57 3.33 4
04 04070 04000 DIGNE-LES-BAINS 44.09 6.24 2|05 05061 05000 GAP 44.56 6.08 2|06 06088 06000 NICE 43.70 7.27 17
07 07186 07000 PRIVAS 44.74 4.60 4|08 08105 08000 CHARLEVILLE-MÉZIÈRES 49.77 4.72 3|09 09122 09000 FOIX 42.97 1.61 2
10 10387 10000 TROYES 48.30 4.08 4|11 11069 11000 CARCASSONNE 43.21 2.35 4|12 12202 12000 RODEZ 44.35 2.57 4
13 13055 13001 MARSEILLE 43.30 5.37 31|14 14118 14000 CAEN 49.18 -0.37 9|15 15014 15000 AURILLAC 44.93 2.44 2
16 16015 16000 ANGOULÊME 45.65 0.16 5|17 17300 17000 LA ROCHELLE 46.16 -1.15 8|18 18033 18000 BOURGES 47.08 2.40 4
19 19272 19000 TULLE 45.27 1.77 3|21 21231 21000 DIJON 47.32 5.04 8|22 22278 22000 SAINT-BRIEUC 48.51 -2.77 8
23 23096 23000 GUÉRET 46.17 1.87 1|24 24322 24000 PÉRIGUEUX 45.18 0.72 5|25 25056 25000 BESANÇON 47.24 6.02 7
26 26362 26000 VALENCE 44.93 4.89 8|27 27229 27000 ÉVREUX 49.02 1.15 7|28 28085 28000 CHARTRES 48.45 1.49 5
29 29232 29000 QUIMPER 47.99 -4.10 12|2A 2A004 20000 AJACCIO 41.93 8.74 2|2B 2B033 20200 BASTIA 42.70 9.45 2
30 30189 30000 NÎMES 43.84 4.36 9|31 31555 31000 TOULOUSE 43.60 1.44 21|32 32013 32000 AUCH 43.65 0.59 2
33 33063 33000 BORDEAUX 44.84 -0.58 24|34 34172 34000 MONTPELLIER 43.61 3.88 16|35 35238 35000 RENNES 48.11 -1.68 16
36 36044 36000 CHÂTEAUROUX 46.81 1.69 3|37 37261 37000 TOURS 47.39 0.69 8|38 38185 38000 GRENOBLE 45.19 5.72 17
39 39300 39000 LONS-LE-SAUNIER 46.67 5.55 4|40 40192 40000 MONT-DE-MARSAN 43.89 -0.50 5
41 41018 41000 BLOIS 47.59 1.33 4|42 42218 42000 SAINT-ÉTIENNE 45.44 4.39 10
43 43157 43000 LE PUY-EN-VELAY 45.04 3.88 3|44 44109 44000 NANTES 47.22 -1.55 23|45 45234 45000 ORLÉANS 47.90 1.91 9
46 46042 46000 CAHORS 44.45 1.44 2|47 47001 47000 AGEN 44.20 0.62 4|48 48095 48000 MENDE 44.52 3.50 1
49 49007 49000 ANGERS 47.47 -0.55 12|50 50502 50000 SAINT-LÔ 49.12 -1.09 6
51 51108 51000 CHÂLONS-EN-CHAMPAGNE 48.96 4.36 8|52 52121 52000 CHAUMONT 48.11 5.14 2
53 53130 53000 LAVAL 48.07 -0.77 4|54 54395 54000 NANCY 48.69 6.18 9|55 55029 55000 BAR-LE-DUC 48.77 5.16 2
56 56260 56000 VANNES 47.66 -2.76 10|57 57463 57000 METZ 49.12 6.18 12|58 58194 58000 NEVERS 46.99 3.16 2
59 59350 59000 LILLE 50.63 3.07 34|60 60057 60000 BEAUVAIS 49.43 2.08 9|61 61001 61000 ALENÇON 48.43 0.09 4
62 62041 62000 ARRAS 50.29 2.78 15|63 63113 63000 CLERMONT-FERRAND 45.78 3.08 9|64 64445 64000 PAU 43.30 -0.37 10
65 65440 65000 TARBES 43.23 0.08 3|66 66136 66000 PERPIGNAN 42.70 2.90 6|67 67482 67000 STRASBOURG 48.58 7.75 17
68 68066 68000 COLMAR 48.08 7.36 10|69 69123 69002 LYON 45.76 4.84 36|70 70550 70000 VESOUL 47.62 6.16 2
71 71270 71000 MÂCON 46.31 4.83 7|72 72181 72000 LE MANS 48.01 0.20 7|73 73065 73000 CHAMBÉRY 45.57 5.92 8
74 74010 74000 ANNECY 45.90 6.13 14|75 75056 75008 PARIS 48.86 2.35 75|76 76540 76000 ROUEN 49.44 1.10 17
77 77288 77000 MELUN 48.54 2.66 16|78 78646 78000 VERSAILLES 48.80 2.13 16|79 79191 79000 NIORT 46.32 -0.46 5
80 80021 80000 AMIENS 49.89 2.30 7|81 81004 81000 ALBI 43.93 2.15 5|82 82121 82000 MONTAUBAN 44.02 1.36 3
83 83137 83000 TOULON 43.12 5.93 13|84 84007 84000 AVIGNON 43.95 4.81 9
85 85191 85000 LA ROCHE-SUR-YON 46.67 -1.43 11|86 86194 86000 POITIERS 46.58 0.34 6
87 87085 87000 LIMOGES 45.83 1.26 5|88 88160 88000 ÉPINAL 48.17 6.45 5|89 89024 89000 AUXERRE 47.80 3.57 4
90 90010 90000 BELFORT 47.64 6.86 2|91 91228 91000 ÉVRY-COURCOURONNES 48.62 2.43 15
92 92050 92000 NANTERRE 48.89 2.20 33|93 93008 93000 BOBIGNY 48.91 2.44 23|94 94028 94000 CRÉTEIL 48.79 2.46 18
95 95500 95300 PONTOISE 49.05 2.10 13|971 97105 97100 BASSE-TERRE 16.00 -61.73 5
972 97209 97200 FORT-DE-FRANCE 14.60 -61.07 5|973 97302 97300 CAYENNE 4.94 -52.33 2
974 97411 97400 SAINT-DENIS -20.88 55.45 9|976 97611 97600 MAMOUDZOU -12.78 45.23 1
"""
ABROAD = (
    ("99109", "ALLEMAGNE", "KÖLN"),
    ("99131", "BELGIQUE", "NAMUR"),
    ("99127", "ITALIE", "TORINO"),
    ("99132", "ROYAUME-UNI", "LEEDS"),
)
"""Country code, country and town of the seats abroad."""

STREET_TYPES = ("RUE", "AV", "BD", "RTE", "CHE", "PL", "IMP", "ALL", "QUAI", "CRS")
STREET_WEIGHTS = (50, 15, 8, 10, 6, 4, 3, 2, 1, 1)
_STREETS = (
    "DES TILLEULS|DU MOULIN NEUF|DES FORGES|DE LA GRANDE SAULAIE|DU PRÉ AUX OIES|DES TROIS PUITS|DE L'ORME SEC"
    "|DU LAVOIR|DES BLÉS D'OR|DE LA TUILERIE HAUTE|DU BOIS JOLI|DES VIEUX QUAIS|DE LA CROIX BASSE|DES ALOUETTES"
    "|DU CHÂTEAU D'EAU|DE LA FONTAINE AUX LOUPS|DES QUATRE VENTS|DU PONT BLANC|DE L'ANCIENNE GARE|DES ÉGLANTIERS"
)
_FIRST = (
    "BRIV|VALM|CORD|TREL|MOUZ|LARG|FONT|SARR|GUIM|PLEN|ROUV|CHAZ|DORN|VERL|ESQU|MARV|TALL|BELG|NOR|AUR|KERV|PIER|SOLV"
)
_MIDDLE = "A|O|I|ÉL|ANT|OR|IN|ER|AU|EU"
_LAST = "DON|RET|LIEU|GNAC|VILLE|MONT|SAC|BERT|NIER|LOIS|COURT|ZAN|VANE|TTE|RAND|GUE"
_GIVEN = "CAMILLE|DOMINIQUE|CLAUDE|MARIE|PAUL|JEANNE|LOUIS|ANNE|HENRI|LUCIE|MARC|SOPHIE|YVES|NADIA|KARIM|ROSE"


@dataclass(frozen=True, slots=True)
class Places:
    """The prefectures, as parallel arrays."""

    departement: pl.Series
    commune: pl.Series
    postal: pl.Series
    name: pl.Series
    latitude: Floats
    longitude: Floats
    weight: Floats


def _places() -> Places:
    rows = [line.split(" ") for text in _PREFECTURES.strip().splitlines() for line in text.split("|")]
    # A name may hold blanks: the figures are counted from the right.
    weight = np.asarray([float(row[-1]) for row in rows])
    return Places(
        departement=pl.Series([row[0] for row in rows]),
        commune=pl.Series([row[1] for row in rows]),
        postal=pl.Series([row[2] for row in rows]),
        name=pl.Series([" ".join(row[3:-3]) for row in rows]),
        latitude=np.asarray([row[-3] for row in rows], dtype=np.float32),
        longitude=np.asarray([row[-2] for row in rows], dtype=np.float32),
        weight=(weight / weight.sum()).astype(np.float32),
    )


PLACES = _places()
STREETS = pl.Series(_STREETS.split("|"))
GIVEN_NAMES = pl.Series(_GIVEN.split("|"))
SURNAMES = pl.Series(
    [first + middle + last for first in _FIRST.split("|") for middle in _MIDDLE.split("|") for last in _LAST.split("|")]
)


def company_names(sections: Ints, draws: Floats) -> pl.Series:
    """Return invented names, one per company: the trade of its section, a surname, sometimes a partner after a comma.

    `draws` has shape (companies, 4), in [0, 1).
    """
    words = [section.words.split() for section in SECTIONS]
    widest = max(len(row) for row in words)
    table = pl.Series([row[i % len(row)] for row in words for i in range(widest)])
    word = table.gather(sections * widest + (draws[:, 0] * widest).astype(np.int64))
    surname = SURNAMES.gather((draws[:, 1] * len(SURNAMES)).astype(np.int64))
    partner = SURNAMES.gather((draws[:, 2] * len(SURNAMES)).astype(np.int64))
    form = pl.Series((draws[:, 3] * 20).astype(np.int64))
    frame = pl.DataFrame({"word": word, "surname": surname, "partner": partner, "form": form})
    name = (
        pl.when(pl.col("form") == 0)
        .then(pl.format("{}, {} ET FILS", "surname", "partner"))
        .when(pl.col("form") == 1)
        .then(pl.format('ETS "{}"', "surname"))
        .when(pl.col("form") < 8)
        .then(pl.format("{} {}", "surname", "word"))
        .otherwise(pl.format("{} {}", "word", "surname"))
    )
    return frame.select(name.alias("name"))["name"]
