// Two agents, of one run or of two, and runs beside each other.
import { get } from "../api.js";
import * as charts from "../charts.js";
import { diff } from "../diffview.js";
import { empty, h, problem, replace, table } from "../dom.js";
import { amend, to, toAgent } from "../routes.js";
import { change, count, duration, interval, mean, money, outcome, pValue } from "../format.js";

const LINES = ["#0f6e84", "#d98c2b", "#8d5a9e", "#4a8f3a", "#c65a46", "#5676c4", "#9a7b1f", "#777777"];

export async function show({ archive, parameters }) {
  const { archives } = await get("archives");
  const names = archives.filter((run) => !run.problem).map((run) => run.name);
  const mine = archives.find((run) => run.name === archive);
  const node = h("div", { class: "page" });
  let first = parameters.get("a") ?? `${archive}#0`, second = parameters.get("b") ?? `${archive}#${mine?.overall ?? 0}`;
  let chosen = names.filter((name) => name === archive);
  try { const wanted = JSON.parse(parameters.get("runs") ?? "null"); if (Array.isArray(wanted)) chosen = names.filter((name) => wanted.includes(name)); } catch { /* a broken address compares this run alone */ }
  const agents = h("section"), runs = h("section");
  const drawAgents = async () => replace(agents, h("h2", null, "Two agents"), pickers(archive, first, second, names, (a, b) => { [first, second] = [a, b]; amend({ a, b }); drawAgents(); }), await two(first, second));
  const drawRuns = async () => replace(runs, h("h2", null, "Runs"), names.length < 2 ? empty("There is no other run in this folder to compare with.") : [ticks(names, chosen, (list) => { chosen = list; amend({ runs: JSON.stringify(list) }); drawRuns(); }), chosen.length ? await several(chosen) : empty("Choose runs to see them beside each other.")]);
  const both = parameters.get("runs") !== null && parameters.get("a") === null ? [runs, agents] : [agents, runs];
  await Promise.all([drawAgents(), drawRuns()]);
  replace(node, h("h1", null, "Compare"), both);
  return { node };
}

const split = (text) => { const at = text.lastIndexOf("#"); return [text.slice(0, at), text.slice(at + 1)]; };

function pickers(archive, first, second, names, chosen) {
  const field = (text, label) => {
    const [name, id] = split(text);
    const run = h("select", { "aria-label": `run of the ${label} agent` }, [...new Set([...names, name])].map((one) => h("option", { value: one, selected: one === name }, one)));
    const number = h("input", { type: "number", min: 0, value: id, "aria-label": `number of the ${label} agent`, style: { width: "6.5rem" } });
    return { node: h("div", { class: "row" }, run, number), value: () => `${run.value}#${number.value}` };
  };
  const a = field(first, "first"), b = field(second, "second");
  return h("form", { class: "row", onsubmit: (event) => { event.preventDefault(); chosen(a.value(), b.value()); } }, a.node, h("span", { class: "faint" }, "and"), b.node, h("button", { type: "submit" }, "Compare"));
}

async function two(first, second) {
  const [run, id] = split(first), [other, rival] = split(second);
  try {
    const found = await get("two", { archive: run, agent: id, of: other, with: rival });
    const patch = h("details", { ontoggle: () => { if (patch.open) differ(); } }, h("summary", null, "What differs in their files"));
    const place = h("div", { style: { "margin-top": "0.8rem" } }, h("p", { class: "faint" }, "Reading…"));
    patch.append(place);
    let asked = false;
    const differ = async () => {
      if (asked) return;
      asked = true;
      try {
        const { files } = await get("diff", { archive: other, agent: rival, of: run, with: id });
        replace(place, await diff(files, [name(found.first), name(found.second)]));
      } catch (error) { replace(place, problem("The difference cannot be shown", error.message)); }
    };
    const name = (side) => (run === other ? `#${side.id}` : `${side.archive}#${side.id}`);
    const card = (side) => h("div", { class: "sheet stack" }, h("div", { class: "row" }, h("h3", null, h("a", { href: toAgent(side.archive, side.id) }, name(side))), h("span", { class: "chip" }, outcome(side.admission).label), h("span", { class: "muted" }, `mean on val ${mean(side.mean)}`)), h("p", { class: "small clamp" }, side.summary || (side.parent === null ? "the root" : side.reason)));
    return [h("div", { class: "board" }, card(found.first), card(found.second)), scores(found, name), found.first.genome && found.second.genome && patch];
  } catch (error) { return problem("These two cannot be compared", error.message); }
}

function scores(found, name) {
  const key = (score) => `${score.domain} ${score.split}`;
  const left = new Map(found.first.scores.map((score) => [key(score), score])), right = new Map(found.second.scores.map((score) => [key(score), score]));
  const shared = new Map(found.tasks.map((one) => [key(one), one]));
  const keys = [...new Set([...left.keys(), ...right.keys()])].sort();
  if (!keys.length) return empty("Neither was measured.");
  return h("div", { class: "sheet flush" }, table([{ label: "domain" }, { label: "95 % intervals", wide: true }, { label: name(found.first), num: true }, { label: name(found.second), num: true }, { label: "gained and lost on shared tasks", num: true }], keys.map((one) => {
    const a = left.get(one), b = right.get(one), swap = shared.get(one);
    return [one, charts.intervals([{ score: a, colour: "var(--soft)", hollow: true, label: name(found.first) }, { score: b, colour: "var(--accent)", label: name(found.second) }], charts.scale([a, b])), interval(a), interval(b),
      swap ? [change(swap.difference), " ", h("span", { class: "gain" }, `+${swap.gained_total}`), " ", h("span", { class: "loss" }, `−${swap.lost_total}`), " ", h("span", { class: "interval" }, pValue(swap.p))] : h("span", { class: "faint" }, "no shared task")];
  })));
}

function ticks(names, chosen, changed) {
  return h("fieldset", { class: "row", style: { border: "0", padding: "0", margin: "0" } }, h("legend", { class: "quiet" }, "Runs to compare"), names.map((name) => h("label", { class: "field" }, h("input", { type: "checkbox", checked: chosen.includes(name), onchange: (event) => changed(event.target.checked ? names.filter((one) => one === name || chosen.includes(one)) : chosen.filter((one) => one !== name)) }), name)));
}

async function several(names) {
  const { runs } = await get("runs", { names: JSON.stringify(names) });
  const good = runs.filter((run) => !run.problem);
  const lines = good.map((run, at) => ({ name: run.name, colour: LINES[at % LINES.length], progress: run.progress }));
  const columns = [{ label: "run" }, { label: "proposals", num: true }, { label: "root on val", num: true }, { label: "best on val", num: true }, { label: "gain", num: true }, { label: "best agent", num: true }, { label: "time", num: true }, { label: "dollars", num: true }, { label: "parents by" }, { label: "seed", num: true }];
  return [
    runs.filter((run) => run.problem).map((run) => problem(`${run.name} cannot be read`, run.problem)),
    good.some((run) => run.progress.id.length > 1) && charts.progress(lines, (name, id) => { location.hash = toAgent(name, id); }, { dots: good.length === 1 }),
    good.length > 1 && h("div", { class: "legend" }, lines.map((line) => h("span", null, h("i", { style: { background: line.colour } }), line.name))),
    h("div", { class: "sheet flush" }, table(columns, good.map((run) => [h("a", { href: to(run.name) }, run.name), count(run.proposals), mean(run.root_mean), mean(run.overall_mean), run.overall_mean === null || run.root_mean === null ? "" : change(run.overall_mean - run.root_mean), h("a", { href: toAgent(run.name, run.overall) }, `#${run.overall}`), duration(run.cost.seconds), money(run.cost.usd), run.setup["parents by"], String(run.setup["random seed"])]))),
  ];
}
