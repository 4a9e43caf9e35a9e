"""Columns of data providers: groups of Ellisphere, ratios of Banque de France, accounts of Diane.

Definitions are those of the providers (rules §9.3 to §9.5). CA is turnover before tax, VA value added.
"""

from sf_assets.vocabulary.schema import Column


def _amounts(unit: str, meanings: dict[str, str]) -> tuple[Column, ...]:
    return tuple(Column(name, "DOUBLE", meaning, unit=unit) for name, meaning in meanings.items())


_GROUPS = (
    Column("code_groupe", "VARCHAR", "provider's code of the group"),
    Column("poum_groupe", "VARCHAR", "size class of the head of the group: P, M or G"),
    Column("siren_groupe", "VARCHAR", "company identifier of the head of the group"),
    Column("refid_groupe", "VARCHAR", "provider's reference of the head of the group"),
    Column("raison_sociale_groupe", "VARCHAR", "name of the head of the group"),
    Column("adresse_groupe", "VARCHAR", "address of the head of the group"),
    Column("niveau_detention", "INTEGER", "level of ownership: 1 is held by the head itself"),
    Column("part_financiere", "DOUBLE", "share held", unit="%"),
    Column("code_filiale", "VARCHAR", "provider's code of the subsidiary"),
    Column("poum_filiale", "VARCHAR", "size class of the subsidiary: P, M or G"),
    Column("refid_filiale", "VARCHAR", "provider's reference of the subsidiary"),
)

# Ratios that both Banque de France and Diane deliver, with the same names and definitions.
_RATIOS = (
    *_amounts(
        "%",
        {
            "poids_frng": "net working capital over CA",
            "taux_marge": "gross operating surplus over VA",
            "dette_fiscale": "tax and social debts over VA",
            "financier_court_terme": "short-term bank loans over CA",
            "frais_financier": "financial charges over gross operating surplus and non-operating result",
        },
    ),
    Column("delai_fournisseur", "DOUBLE", "supplier debts over purchases, times 360", unit="day"),
)

_DIANE_COMPANY = (
    Column("annee", "INTEGER", "year of the accounts", unit="year"),
    Column("secteur", "VARCHAR", "sector, as the provider names it"),
    Column("statut_juridique", "VARCHAR", "legal form, as the provider names it"),
    Column("procedure_collective", "BOOLEAN", "the provider knows of a collective procedure"),
    Column("effectif_consolide", "INTEGER", "consolidated staff", unit="person"),
    Column("note_preface", "DOUBLE", "provider's note, 0 to 10"),
    Column("nombre_etab_secondaire", "INTEGER", "secondary establishments", unit="establishment"),
    Column("nombre_filiale", "INTEGER", "subsidiaries", unit="company"),
    Column("taille_compo_groupe", "INTEGER", "companies of the group", unit="company"),
    Column("nombre_mois", "INTEGER", "length of the financial year", unit="month"),
)

_DIANE_AMOUNTS = _amounts(
    "k€",
    {
        "dette_fiscale_et_sociale": "tax and social debts",
        "frais_de_r_et_d": "research and development, net",
        "conces_brev_et_droits_sim": "concessions, patents and similar rights, net",
        "concours_bancaire_courant": "current bank loans",
        "ca": "turnover before tax",
        "ca_exportation": "turnover abroad",
        "achat_marchandises": "goods bought",
        "achat_matieres_premieres": "raw materials bought",
        "production": "production",
        "marge_commerciale": "commercial margin",
        "consommation": "consumption",
        "autres_achats_charges_externes": "other purchases and external charges",
        "valeur_ajoutee": "value added",
        "charge_personnel": "staff costs",
        "impots_taxes": "taxes other than on profits",
        "subventions_d_exploitation": "operating subsidies",
        "excedent_brut_d_exploitation": "gross operating surplus",
        "autres_produits_charges_reprises": "other operating products and charges, and reversals",
        "dotation_amortissement": "depreciation and provisions",
        "resultat_expl": "operating result",
        "operations_commun": "share of joint operations",
        "produits_financiers": "financial products",
        "charges_financieres": "financial charges",
        "interets": "interest and similar charges",
        "resultat_avant_impot": "current result before tax",
        "produit_exceptionnel": "exceptional products",
        "charge_exceptionnelle": "exceptional charges",
        "participation_salaries": "profit sharing",
        "impot_benefice": "tax on profits",
        "benefice_ou_perte": "profit or loss",
    },
)

_DIANE_RATIOS = (
    *_amounts(
        "",
        {
            "equilibre_financier": "long-term resources over stable uses",
            "financement_actif_circulant": "net working capital over net current assets",
            "diane_liquidite_generale": "net current assets over short-term debts",
            "diane_liquidite_reduite": "net current assets without stocks over short-term debts",
            "capacite_remboursement": "financial debts over cash flow",
            "productivite_potentiel_production": "VA over gross fixed assets",
            "productivite_capital_financier": "VA over net current assets and discounted bills",
            "productivite_capital_investi": "VA over total assets and discounted bills",
        },
    ),
    *_amounts(
        "%",
        {
            "independance_financiere": "own funds over long-term resources",
            "endettement": "financial debts over long-term resources",
            "degre_immo_corporelle": "depreciation over gross tangible assets",
            "taux_interet_financier": "interest over CA",
            "taux_interet_sur_ca": "all financial charges over CA",
            "taux_endettement": "financial debts over equity and other own funds",
            "capacite_autofinancement": "cash flow over CA and subsidies",
            "poids_bfr_exploitation": "operating working capital requirement over CA",
            "exportation": "CA abroad over CA",
            "taux_d_investissement_productif": "fixed assets at cost over VA",
            "diane_rentabilite_economique": "gross operating surplus over CA and subsidies",
            "performance": "current result before tax over CA and subsidies",
            "rendement_brut_fonds_propres": "current result before tax over net own funds",
            "rentabilite_nette": "net result over CA and subsidies",
            "rendement_capitaux_propres": "net result over net equity",
            "rendement_ressources_durables": "current result before tax and interest over net long-term resources",
            "taux_marge_commerciale": "commercial margin over sales of goods",
            "taux_valeur_ajoutee": "VA over CA",
            "part_salaries": "staff costs and profit sharing over VA",
            "part_etat": "taxes over VA",
            "part_preteur": "interest over VA",
            "part_autofinancement": "cash flow over VA",
        },
    ),
    *_amounts(
        "day",
        {
            "rotation_stocks": "stocks over CA, times 360; in trade, goods over purchases and stock variation",
            "credit_client": "customers and discounted bills over CA with tax, times 360",
            "credit_fournisseur": "suppliers over purchases with tax, times 360",
            "endettement_global": "debts and discounted bills over CA, times 360",
            "couverture_ca_fdr": "net working capital over CA, times 360",
            "couverture_ca_besoin_fdr": "working capital requirement over CA, times 360",
        },
    ),
    *_amounts("k€/person", {"ca_par_effectif": "CA over staff", "efficacite_economique": "VA over staff"}),
)

COLUMNS = (*_GROUPS, *_RATIOS, *_DIANE_COMPANY, *_DIANE_AMOUNTS, *_DIANE_RATIOS)
