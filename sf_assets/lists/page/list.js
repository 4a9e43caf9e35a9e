"use strict";
const data = JSON.parse(document.getElementById("donnees").textContent);
const body = document.querySelector("tbody");
const rows = [...body.rows];
const form = document.querySelector(".filters");
const dialog = document.querySelector("dialog");
const french = new Intl.NumberFormat("fr-FR", { maximumFractionDigits: 1 });
const whole = new Intl.NumberFormat("fr-FR", { maximumFractionDigits: 0 });
const heads = [...document.querySelectorAll("thead th")];
// A reader whose rights do not cover a column has a page without it.
const position = Object.fromEntries(heads.map((head, i) => [head.dataset.key, i]));
const folded = (text) => text.normalize("NFD").replace(/[\u0300-\u036f]/g, "").toLowerCase().replaceAll("œ", "oe");
const cell = (row, key) => row.cells[position[key]]?.textContent.trim() ?? "";
const searched = rows.map((row) => folded(`${cell(row, "nom")} ${cell(row, "nom").replace(/\s/g, "")} ${cell(row, "departement")}`));

function filter() {
  const wanted = new FormData(form);
  const words = folded(wanted.get("texte")).split(/\s+/).filter(Boolean);
  const same = { departement: "departement", libelle_niveau: "niveau", libelle_section: "secteur", evolution: "evolution" };
  let shown = 0;
  rows.forEach((row, i) => {
    row.hidden = !(
      words.every((word) => searched[i].includes(word)) &&
      (!wanted.get("taille") || row.dataset.taille === wanted.get("taille")) &&
      Object.entries(same).every(([name, key]) => !wanted.get(name) || cell(row, key) === wanted.get(name))
    );
    shown += !row.hidden;
  });
  document.getElementById("compte").textContent = `${whole.format(shown)} ${shown > 1 ? "affichées" : "affichée"} sur ${whole.format(rows.length)}`;
}
form.addEventListener("input", filter);
form.addEventListener("reset", () => setTimeout(filter));
form.addEventListener("submit", (event) => event.preventDefault());
document.getElementById("imprimer").addEventListener("click", () => print());

// Numbers, and levels, are compared by their value; other columns in the order of French words.
const sortable = (row, key) => {
  const { value } = row.cells[position[key]].dataset;
  return value === undefined ? folded(cell(row, key)) : Number(value);
};
heads.forEach((head) => head.querySelector("button")?.addEventListener("click", () => {
  const down = head.ariaSort === "ascending";
  heads.forEach((other) => other.removeAttribute("aria-sort"));
  head.ariaSort = down ? "descending" : "ascending";
  const keys = new Map(rows.map((row) => [row, sortable(row, head.dataset.key)]));
  const compare = (a, b) => (typeof a === "number" ? a - b : a.localeCompare(b, "fr"));
  body.append(...[...rows].sort((a, b) => (down ? -1 : 1) * compare(keys.get(a), keys.get(b)) || a.dataset.i - b.dataset.i));
}));

const el = (name, attributes, ...children) => {
  const made = document.createElement(name);
  Object.entries(attributes).forEach(([key, value]) => made.setAttribute(key, value));
  made.append(...children);
  return made;
};
const svg = (name, attributes, text) => {
  const made = document.createElementNS("http://www.w3.org/2000/svg", name);
  Object.entries(attributes).forEach(([key, value]) => made.setAttribute(key, value));
  if (text !== undefined) made.textContent = text;
  return made;
};

// A curve over the months; a month without value interrupts it. The same values follow as a table, for who does not see it.
function curve(title, values, unit) {
  const known = (values ?? []).map((value, i) => [i, value]).filter(([, value]) => value !== null);
  if (!known.length) return "";
  const [, newest] = known.at(-1);
  const top = Math.max(...known.map(([, value]) => value), 1e-9);
  const x = (i) => 8 + (i * 284) / (values.length - 1);
  const y = (value) => 92 - (84 * value) / top;
  const path = known.map(([i, value], n) => `${n && known[n - 1][0] === i - 1 ? "L" : "M"}${x(i).toFixed(1)} ${y(value).toFixed(1)}`).join("");
  const summary = `${title} : ${french.format(newest)} ${unit} en ${data.mois[known.at(-1)[0]]}, au plus ${french.format(top < 1e-6 ? 0 : top)} ${unit} en ${values.length} mois`;
  const image = svg("svg", { viewBox: "0 0 300 112", role: "img", "aria-label": summary });
  image.append(svg("line", { x1: 8, x2: 292, y1: 92, y2: 92 }), svg("path", { d: path }));
  known.filter(([i], n) => n === known.length - 1 || (known[n - 1]?.[0] !== i - 1 && known[n + 1][0] !== i + 1)).forEach(([i, value]) => image.append(svg("circle", { cx: x(i), cy: y(value), r: 3 })));
  image.append(svg("text", { x: 8, y: 108 }, data.mois[0]), svg("text", { x: 292, y: 108, "text-anchor": "end" }, data.mois.at(-1)));
  const lines = known.map(([i, value]) => el("tr", {}, el("th", { scope: "row" }, data.mois[i]), el("td", {}, `${french.format(value)} ${unit}`)));
  return el("figure", {}, el("figcaption", {}, summary), image, el("details", {}, el("summary", {}, "Valeurs"), el("table", {}, el("tbody", {}, ...lines))));
}

function bars(values) {
  const top = Math.max(...values.map(Math.abs), 1e-9);
  const order = values.map((value, i) => [value, data.themes[i]]).sort((a, b) => b[0] - a[0]);
  return el("div", { class: "bars" }, ...order.flatMap(([value, theme]) => [
    el("span", {}, theme),
    el("span", {}, el("div", { class: value < 0 ? "bar less" : "bar", style: `width:${(100 * Math.abs(value)) / top}%` })),
    el("span", {}, `${value < 0 ? "−" : value > 0 ? "+" : ""}${french.format(Math.abs(value))}\u00a0%`),
  ]));
}

const list = (texts) => el("ul", {}, ...texts.map((text) => el("li", {}, text)));

function sheet(row) {
  const one = data.fiches[Number(row.dataset.i)];
  const article = document.querySelector("dialog article");
  const facts = [cell(row, "niveau"), cell(row, "risque") && `risque ${cell(row, "risque")}`, cell(row, "effectif") && `${cell(row, "effectif")} salariés`, cell(row, "secteur"), cell(row, "departement") && `département ${cell(row, "departement")}`, cell(row, "evolution")];
  article.replaceChildren(
    el("h2", { id: "fiche-nom", tabindex: "-1", autofocus: "" }, row.querySelector(".name").textContent),
    el("p", {}, `SIREN ${row.querySelector("small").textContent} · ${facts.filter(Boolean).join(" · ")}`),
    el("p", { class: "purpose" }, "Cette fiche aide à ouvrir un échange avec l'entreprise. Elle ne sert jamais à contrôler, à sanctionner ni à recouvrer."),
    el("h3", {}, "Pourquoi elle est sur la liste"),
    one.motifs.length ? list(one.motifs) : el("p", {}, "Aucun fait isolé ne domine : c'est leur réunion qui élève le risque."),
  );
  if (cell(row, "reponse")) article.append(el("h3", {}, "Ce qui a déjà été répondu"), el("p", {}, cell(row, "reponse")));
  const curves = [curve("Dette Urssaf", one.dette, "€"), curve("Effectif", one.effectif, "salariés"), curve("Risque", one.risque, "%")].filter(Boolean);
  if (curves.length) article.append(el("h3", {}, "Son évolution sur deux ans"), el("div", { class: "charts" }, ...curves));
  if (one.themes) article.append(el("h3", {}, "Ce qui compose le risque"), bars(one.themes));
  article.append(el("h3", {}, "Ce qui n'était pas connu"), one.inconnus.length ? list(one.inconnus.map((i) => data.themes[i])) : el("p", {}, "Chaque thème avait au moins une donnée."));
  article.append(el("h3", {}, "Ce que vous pouvez proposer"), list(one.aides.map((i) => data.aides[i])));
}

// Answers stay in the page until they are exported: nothing is stored on the computer, nothing is sent.
const answering = document.getElementById("repondre");
const answers = new Map();
let exported = true;
const titles = data.retour?.entete.slice(3) ?? [];
const fieldOf = (title) => answering.elements.namedItem(title);
function showAnswer(row) {
  if (!answering) return;
  const given = answers.get(data.fiches[Number(row.dataset.i)].siren) ?? {};
  titles.forEach((title) => { fieldOf(title).value = given[title] ?? ""; });
}
answering?.addEventListener("input", () => {
  const { siren } = data.fiches[Number(current.dataset.i)];
  const given = Object.fromEntries(titles.map((title) => [title, fieldOf(title).value]));
  if (Object.values(given).some((text) => text.trim())) answers.set(siren, given);
  else answers.delete(siren);
  exported = !answers.size;
  document.getElementById("exporter").disabled = !answers.size;
  document.getElementById("reponses").textContent = answers.size > 1 ? `${whole.format(answers.size)} réponses à exporter` : answers.size ? "1 réponse à exporter" : "Aucune réponse à exporter";
});
answering?.addEventListener("submit", (event) => event.preventDefault());
// As in the list's own CSV, a text that a spreadsheet would run begins with an apostrophe.
const quoted = (text) => `"${text.trim().replace(/^[=+\-@]/, "'$&").replaceAll("\r\n", "\n").replaceAll('"', '""')}"`;
const french_day = (day) => day.split("-").reverse().join("/");
document.getElementById("exporter")?.addEventListener("click", () => {
  const { entete, liste, destinataire } = data.retour;
  const lines = [...answers].map(([siren, given]) => [siren, liste, destinataire, ...titles.map((title) => (fieldOf(title).type === "date" ? french_day(given[title]) : given[title]))]);
  const text = [entete, ...lines].map((line) => line.map(quoted).join(";")).join("\r\n");
  const link = el("a", { href: URL.createObjectURL(new Blob(["\ufeff", text, "\r\n"], { type: "text/csv" })), download: `retour_${destinataire.replace(/[^a-z0-9_-]/g, "-")}_${liste}.csv` });
  link.click();
  URL.revokeObjectURL(link.href);
  exported = true;
  document.getElementById("reponses").textContent = `Fichier ${link.download} enregistré : renvoyez-le à l'équipe`;
});
addEventListener("beforeunload", (event) => { if (!exported) event.preventDefault(); });

let current = null;
function open(row) {
  current = row;
  sheet(row);
  showAnswer(row);
  if (!dialog.open) dialog.showModal();
  dialog.scrollTop = 0;
  document.body.classList.add("fiche");
}
function move(step) {
  const shown = [...body.rows].filter((row) => !row.hidden);
  const next = shown[shown.indexOf(current) + step];
  if (next) open(next);
}
body.addEventListener("click", (event) => event.target.matches(".name") && open(event.target.closest("tr")));
document.getElementById("precedente").addEventListener("click", () => move(-1));
document.getElementById("suivante").addEventListener("click", () => move(1));
document.getElementById("imprimer-fiche").addEventListener("click", () => print());
dialog.addEventListener("close", () => { document.body.classList.remove("fiche"); current.querySelector(".name").focus(); });
