// A run at a glance: which agent is best, what changed on the way, what it cost.
import { get } from "../api.js";
import * as charts from "../charts.js";
import { empty, facts, h, replace, table } from "../dom.js";
import { ago, change, count, duration, interval, many, mean, money, signed, time } from "../format.js";
import { to, toAgent } from "../routes.js";
import { Helm, notes, standing, state, waiting } from "../steer.js";

const STEPS = 14; // of the way that are shown at once

export async function show({ archive }) {
  const node = h("div", { class: "page" });
  const helm = new Helm(archive, () => draw());
  const draw = async () => {
    const [run, now] = await Promise.all([get("overview", { archive }), state(archive)]);
    const held = document.activeElement;
    helm.draw(now);
    replace(node, head(run, now, helm), answer(run), way(run), written(run, now),
      h("div", { class: "columns" }, h("section", null, h("h2", null, "What it cost"), cost(run)), h("section", null, h("h2", null, "Proposals by outcome"), charts.outcomes(run.outcomes))),
      course(run), setup(run));
    if (node.contains(held)) held.focus();
    gains(node, archive);
  };
  await draw();
  let drawing = null;
  return { node, update: () => { drawing ??= draw().finally(() => { drawing = null; }); } };
}

function head(run, now, helm) {
  const { word, dot, tone } = standing(now);
  return h("section", null,
    h("div", { class: "row" }, h("h1", null, run.name), h("span", { class: `chip ${tone}` }, run.running && h("span", { class: `dot ${dot}` }), !run.running && run.proposals >= run.planned ? "finished" : word),
      run.setup["boundary not held"] && h("span", { class: "chip bad" }, `boundary not held: ${run.setup["boundary not held"]}`)),
    h("p", { class: "muted" }, `${count(run.proposals)} of ${many(run.planned, "proposal")} made, ${many(run.working, "agent works", "agents work")}`,
      run.last ? `, last recorded ${ago(run.last)}` : ""),
    run.running && h("div", { class: "meter", role: "progressbar", "aria-valuenow": run.proposals, "aria-valuemax": run.planned, "aria-label": "proposals made" }, h("i", { style: { width: `${(100 * run.proposals) / Math.max(1, run.planned)}%` } })),
    helm.node, waiting(run.name, now.pending), steered(run, now));
}

// Pins and vetoes in a line; where they are changed.
function steered(run, now) {
  const links = (list) => list.map((agent, at) => [at ? ", " : " ", h("a", { href: toAgent(run.name, agent) }, `#${agent}`)]);
  const said = [now.pins.length && ["Pinned:", links(now.pins.slice(0, 20).map(([agent]) => agent))], now.vetoes.length && ["Vetoed:", links(now.vetoes.slice(0, 20))],
    now.submitted.length && `${many(now.submitted.length, "child", "children")} made outside, to be evaluated`].filter(Boolean);
  return said.length > 0 && h("p", { class: "small muted" }, said.map((part) => [part, ". "]), h("a", { href: to(run.name, "steer") }, "Steer"));
}

function written(run, now) {
  return now.notes.length > 0 && h("section", null, h("h2", null, "Notes"), notes(run.name, now.notes.slice(0, 4)), now.notes.length > 4 && h("p", { class: "small" }, h("a", { href: to(run.name, "steer") }, `All ${now.notes.length} notes`)));
}

function answer(run) {
  if (!run.best.length) return h("section", null, h("h2", null, "The best"), empty("No agent has been measured on all tasks of a domain yet."));
  const best = run.way.at(-1), root = run.way[0];
  const link = h("a", { href: toAgent(run.name, run.overall.agent) }, `Agent #${run.overall.agent}`);
  const over = run.best.length > 1 ? `over ${run.best.length} domains` : `in ${run.best[0].domain}`;
  const all = run.overall.rows, tested = all.every((row) => row.test && row.root_test);
  const over_all = (pick) => all.reduce((sum, row) => sum + pick(row).mean, 0) / all.length;
  const steps = many(run.way.length - 1, "step");
  const compared = (mine, its) => [h("strong", null, mean(mine)), `, the root's ${mean(its)} (`, change(mine - its), "). "];
  const words = run.overall.agent === 0
    ? ["No agent is better than the root yet: its mean on val is ", h("strong", null, mean(root.mean)), ` ${over}.`]
    : tested ? [link, ` is best ${over}: on test its mean is `, compared(over_all((row) => row.test), over_all((row) => row.root_test)),
      `It was chosen on val, by a mean of ${mean(best.mean)}, and is ${steps} away from the root.`]
      : [link, ` is best ${over}: on val its mean is `, compared(best.mean, root.mean), `It is ${steps} away from the root; test is not measured yet.`];
  const columns = [{ label: "domain" }, { label: "agent" }, { label: "root (hollow) and agent, 95 % intervals", wide: true }, { label: "root", num: true, wide: true }, { label: "its score", num: true }, { label: "gain on test", num: true }];
  const others = run.best.filter((row) => row.agent !== run.overall.agent);
  const scale = charts.scale([...all, ...others].flatMap(shown).filter(Boolean)); // one for all, so that rows can be compared
  const rows = [...all.map((row) => line(run, row, scale)), ...others.map((row) => line(run, row, scale, true))];
  return h("section", null, h("p", { class: "lead" }, words),
    h("div", { class: "sheet flush" }, table(columns, rows)),
    h("p", { class: "small muted" }, "Chosen on val, reported on test; where an agent has not met the test tasks, val is shown and says so."));
}

const shown = (row) => (row.test && row.root_test ? [row.root_test, row.test] : [row.root_val, row.val]);

function line(run, row, scale, alone = false) {
  const tested = row.test && row.root_test;
  const [first, second] = shown(row);
  const drawn = first || second ? charts.intervals([{ score: first, colour: "var(--soft)", hollow: true, label: "root" }, { score: second, colour: "var(--accent)", label: `#${row.agent}` }], scale) : "";
  return [[row.domain, h("div", { class: "small faint" }, tested ? "test" : second ? second.split : "not measured", alone && ", best in this domain")],
    h("a", { href: toAgent(run.name, row.agent) }, `#${row.agent}`), drawn, interval(first), interval(second),
    h("span", { "data-gain": `${row.agent} ${row.domain}` }, tested ? "…" : "–")];
}

// Worked out by resampling, which takes a moment: they come after the page is there.
async function gains(node, archive) {
  if (!node.querySelector("[data-gain]")) return;
  const { gains: list } = await get("gains", { archive });
  for (const { agent, domain, gain } of list) for (const spot of node.querySelectorAll("[data-gain]")) if (spot.dataset.gain === `${agent} ${domain}` && gain) {
    replace(spot, h("span", { class: gain[1] > 0 ? "gain" : gain[2] < 0 ? "loss" : "" }, signed(gain[0])), " ", h("span", { class: "interval" }, `[${signed(gain[1])}, ${signed(gain[2])}]`));
  }
}

function way(run) {
  if (run.way.length < 2) return null;
  const list = h("ol", { class: "way" });
  const draw = (all) => replace(list, run.way.map((agent, at) => (all || run.way.length <= STEPS || at < 4 || at >= run.way.length - 6 ? step(run, agent, at)
    : at === 4 ? h("li", null, h("span"), h("button", { type: "button", class: "plain", style: { "justify-self": "start" }, onclick: () => draw(true) }, `show ${run.way.length - 10} more steps`)) : null)));
  draw(false);
  return h("section", null, h("h2", null, "What changed on the way"), h("p", { class: "small muted" }, "Each step with its mean on val. What an agent says of itself is its own word; what it changed is in its files."), list);
}

function step(run, agent, at) {
  return h("li", null,
      h("a", { href: toAgent(run.name, agent.id) }, `#${agent.id}`),
      h("span", { class: "clamp" }, at === 0 ? h("span", { class: "muted" }, "the root, where the run began") : agent.summary || h("span", { class: "faint" }, "says nothing")),
      h("span", { class: "right nowrap" }, mean(agent.mean), " ", at > 0 && agent.mean !== null && run.way[at - 1].mean !== null ? change(agent.mean - run.way[at - 1].mean) : ""),
      h("span"),
      at > 0 && h("span", { class: "small faint clamp" }, h("a", { href: toAgent(run.name, agent.id, { tab: "changes" }) }, many(agent.files, "file")), ` changed: ${agent.changed.join(", ")}`));
}

function cost(run) {
  const { cost: c } = run;
  const share = (spent, budget) => budget ? h("div", { class: "meter" }, h("i", { style: { width: `${Math.min(100, (100 * spent) / budget)}%` } })) : null;
  return facts([
    ["time", [duration(c.seconds), c.budget_seconds ? ` of ${duration(c.budget_seconds)}` : "", share(c.seconds, c.budget_seconds)]],
    ["of which", `improving ${duration(c.improve)}, evaluating ${duration(c.evaluate)}`],
    ["work", `${many(c.verdicts, "task")} judged, ${(c.seconds / Math.max(1, run.proposals)).toFixed(1)} s a proposal`],
    ["language models", c.calls ? [`${money(c.usd)}`, c.budget_usd ? ` of ${money(c.budget_usd)}` : "", ` for ${many(c.calls, "call")}, ${count(c.prompt + c.completion)} tokens`, share(c.usd, c.budget_usd), h("div", { class: "small faint" }, c.models.join(", "))] : "none asked, $0"],
  ]);
}

function course(run) {
  return h("section", null, h("h2", null, "Progress"),
    run.progress.id.length > 1
      ? [charts.progress([{ name: run.name, colour: "var(--accent)", progress: run.progress }], (name, id) => { location.hash = toAgent(name, id); }),
        h("p", { class: "small muted" }, "Each dot is an agent, by its mean on val, which it is chosen on. The line is the best so far; ringed dots lead to the best agent.")]
      : empty("There is no curve before a second agent has been measured."));
}

function setup(run) {
  return h("section", null,
    h("details", null, h("summary", null, "How the run was set up"), h("div", { style: { "margin-top": "0.8rem" } }, facts(Object.entries(run.setup).map(([name, value]) => [name, value === "" ? "" : String(value)])))),
    run.events.length > 0 && h("details", null, h("summary", null, `What happened to the archive (${run.events.length === 20 ? "the last 20" : run.events.length})`),
      h("div", { class: "scroll" }, table([{ label: "when" }, { label: "what" }, { label: "" }], run.events.map((event) => [time(event.time), event.kind, h("code", { class: "words" }, JSON.stringify(event.body))])))));
}
