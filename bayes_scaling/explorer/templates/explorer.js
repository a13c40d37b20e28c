// Controls, numbers and charts of the section "Try other budgets".

const find = id => document.getElementById(id);
const read = id => JSON.parse(find(id).textContent);

const SUPERSCRIPT = { "-": "⁻", 0: "⁰", 1: "¹", 2: "²", 3: "³", 4: "⁴", 5: "⁵", 6: "⁶", 7: "⁷", 8: "⁸", 9: "⁹" };
function digits(v, n) {
  if (v === 0) return "0";
  const [mantissa, power] = v.toExponential(n - 1).split("e");
  if (Number(power) >= -4 && Number(power) < 6) return v.toPrecision(n).includes("e") ? Math.round(v).toLocaleString("en") : v.toPrecision(n);
  return `${mantissa} × 10${[...String(Number(power))].map(c => SUPERSCRIPT[c]).join("")}`;
}
function count(v) {
  for (const [size, word] of [[1e12, "trillion"], [1e9, "billion"], [1e6, "million"]])
    if (v >= 0.9995 * size && v < 1e16) return `${(v / size).toPrecision(3)} ${word}`;
  return v >= 1e16 ? digits(v, 3) : v >= 1000 ? Math.round(Number(v.toPrecision(3))).toLocaleString("en") : digits(v, 3);
}
const lossText = v => digits(v, 4);
const percent = v => v > 0 && v < 0.01 ? "under 1%" : v > 0.99 && v < 1 ? "over 99%" : `${Math.round(100 * v)}%`;
function amountText(v, unit) {
  if (unit === "FLOP") return `${digits(v, 3)} FLOP`;
  if (unit === "s") return v >= 86400 ? `${digits(v / 86400, 3)} days` : v >= 3600 ? `${digits(v / 3600, 3)} hours` : `${digits(v, 3)} s`;
  return `${v >= 1e6 ? count(v) : digits(v, 3)} ${unit}`;
}

/** As a reader would type it. */
function boxed(v) {
  const short = Number(v.toPrecision(7));
  return Math.abs(short) >= 1e7 ? short.toExponential().replace("e+", "e") : String(short);
}

/** A number on the page that programs can read too. */
function put(id, value, text) {
  const place = find(id);
  if (!place) return;
  place.textContent = "";
  const data = document.createElement("data");
  data.value = value === null ? "" : String(value);
  data.textContent = text;
  place.append(data);
}

const INK = "currentColor", NOW = "var(--accent)", THEN = "var(--then)", TARGET = "var(--fail)";
const AXES = {
  axis: { labelColor: INK, titleColor: INK, domainColor: INK, tickColor: INK, gridColor: "var(--rule)", labelFontSize: 12, titleFontSize: 12, titleFontWeight: "normal" },
  view: { stroke: null }, background: null, aria: false,
};
const across = (field, title, more = {}) => ({ field, type: "quantitative", axis: { title, grid: false, tickCount: 5, ...more.axis }, scale: more.scale || { zero: false } });
const sized = { scale: { type: "log", nice: false }, axis: { labelExpr: "replace(format(datum.value, '~s'), 'G', 'B')", labelOverlap: true, tickCount: 4 } };
const powered = { scale: { type: "log", nice: false }, axis: { labelExpr: "replace(format(datum.value, '.0e'), 'e+', 'e')", labelOverlap: true, tickCount: 4 } };

function base(layer, height = 210) {
  return { width: "container", height, autosize: { type: "fit", contains: "padding" }, config: AXES, layer };
}
function histogram(title) {
  const bar = (name, mark) => ({
    data: { name }, mark,
    encoding: { x: across("low", title), x2: { field: "high" }, y: { field: "share", type: "quantitative", axis: null }, y2: { datum: 0 } },
  });
  return base([
    bar("now", { type: "bar", color: NOW, opacity: 0.75, binSpacing: 0 }),
    { data: { name: "then" }, mark: { type: "line", interpolate: "step", color: THEN, strokeWidth: 1.5, strokeDash: [4, 3] },
      encoding: { x: across("low", title), y: { field: "share", type: "quantitative", axis: null } } },
    { data: { name: "target" }, mark: { type: "rule", color: TARGET, strokeWidth: 2 }, encoding: { x: across("at", title) } },
  ]);
}
function fan(x, title, options) {
  const at = across(x, title, options), y = field => ({ field, type: "quantitative", title: "Loss of one run", scale: { zero: false }, axis: { tickCount: 5 } });
  return base([
    { data: { name: "line" }, mark: { type: "area", color: NOW, opacity: 0.22 }, encoding: { x: at, y: y("q05"), y2: { field: "q95" } } },
    { data: { name: "line" }, mark: { type: "line", color: NOW, strokeWidth: 2 }, encoding: { x: at, y: y("mean") } },
    { data: { name: "here" }, mark: { type: "point", color: NOW, filled: true, size: 90 }, encoding: { x: at, y: y("mean") } },
    { data: { name: "then" }, mark: { type: "point", color: THEN, shape: "diamond", size: 90, strokeWidth: 2 }, encoding: { x: at, y: y("mean") } },
    { data: { name: "target" }, mark: { type: "rule", color: TARGET, strokeWidth: 1.5, strokeDash: [5, 4] }, encoding: { y: y("at") } },
  ]);
}
function bins(values, low, high, number = 44) {
  const shares = new Float64Array(number), wide = (high - low) / number || 1e-9;
  for (const v of values) if (v >= low && v <= high) shares[Math.min(Math.floor((v - low) / wide), number - 1)] += 1 / values.length;
  return Array.from(shares, (share, k) => ({ low: low + k * wide, high: low + (k + 1) * wide, share }));
}

class Explorer {
  constructor(page) {
    this.page = page;
    this.views = {};
    SEARCH = page.search;
    this.draws = page.problems.map((problem, k) => new Draws(problem.draws.map(unpack), TRACED[k]));
    this.prices = page.problems.map(problem => Object.fromEntries(Object.entries(problem.prices).map(([name, text]) => [name, unpack(text)])));
    this.costs = this.prices.map((prices, k) => new Costs(prices, TRACED[k]));
    this.fields = [...document.querySelectorAll("#explore [data-control]")];
  }
  async start() {
    // Before charts are made: in a hidden section they have no width, and keep it.
    find("explore").hidden = false;
    const money = this.page.problems[0].amount;
    const budget = money.unit === "FLOP" ? "Compute (FLOP)" : money.unit === "s" ? "Time (s)" : `Budget (${money.unit})`;
    const specs = {
      loss: histogram("Loss of one run"), regret: histogram("Loss above that of the best plan"),
      size: fan("params", "Parameters", sized), frontier: fan("budget", budget, money.unit === "FLOP" ? powered : sized),
    };
    for (const [name, spec] of Object.entries(specs)) {
      const made = await vegaEmbed(find(`chart-${name}`), spec, { renderer: "svg", actions: false, ast: true, defaultStyle: false, logLevel: 1 });
      this.views[name] = made.view;
    }
    for (const field of this.fields) field.addEventListener("input", () => this.changed(field));
    find("explore-controls").addEventListener("submit", event => event.preventDefault());
    find("explore-plan")?.addEventListener("change", () => { this.reset(); });
    find("explore-reset").addEventListener("click", () => this.reset());
    this.reset();
  }
  get chosen() { return Number(find("explore-plan")?.value || 0); }
  get problem() { return this.page.problems[this.chosen]; }
  get sample() { return this.draws[this.chosen]; }
  /** What can be moved: where it starts, and what it is called. */
  get starts() {
    const { scenario: s, amount, python } = this.problem, prices = this.prices[this.chosen];
    const middle = name => quantile(sorted(prices[name]), 0.5);
    return {
      amount: amount.value, target: s.target, probability: s.probability, measure: s.measure, level: s.level,
      compute: middle("per_flop") * 1e18, data: middle("per_token") * 1e9, served: middle("served_flops") / SEARCH.serving,
      around: python.loss.q50,
    };
  }
  reset() {
    const starts = this.starts, cost = this.problem.scenario.minimise === "cost";
    for (const field of this.fields) {
      const name = field.dataset.control, start = starts[name];
      if (field.type === "range") this.slide(field, start);
      else field.value = start === null || start === undefined ? "" : typeof start === "number" ? boxed(start) : start;
    }
    const shown = {
      amount: !cost, probability: cost, measure: !cost, level: !cost,
      compute: this.problem.priced, data: starts.data > 0, served: true, target: true,
    };
    for (const [name, on] of Object.entries(shown)) find(`control-${name}`).hidden = !on;
    find("explore-unit").textContent = this.problem.amount.unit;
    for (const place of document.querySelectorAll(".explore-currency")) place.textContent = this.problem.scenario.currency;
    this.update(true);
  }
  /** Ranges stand for logs about where they start; a target for shares of the loss. */
  slide(range, value) {
    const name = range.dataset.control, start = this.starts[name];
    if (name === "level" || name === "probability") range.value = value;
    else if (name === "target") range.value = value === null ? 0 : 100 * Math.log(value / this.starts.around);
    else if (name === "served") range.value = value > 0 ? Math.log10(value) : range.min;
    else range.value = start > 0 && value > 0 ? Math.log10(value / start) : 0;
    range.setAttribute("aria-valuetext", value === null ? "none" : digits(Number(value), 4));
  }
  slid(range) {
    const name = range.dataset.control, at = Number(range.value);
    if (name === "level" || name === "probability") return at;
    if (name === "target") return this.starts.around * Math.exp(at / 100);
    if (name === "served") return at <= Number(range.min) ? 0 : Math.pow(10, at);
    return this.starts[name] * Math.pow(10, at);
  }
  changed(field) {
    const twin = this.fields.find(f => f !== field && f.dataset.control === field.dataset.control);
    if (field.type === "range") {
      const value = this.slid(field);
      twin.value = boxed(Number(value.toPrecision(4)));
      field.setAttribute("aria-valuetext", digits(value, 4));
    } else if (twin) {
      const value = this.typed(field);
      if (value !== undefined) this.slide(twin, value);
    }
    this.update(false);
    clearTimeout(this.waiting);
    this.waiting = setTimeout(() => this.update(true), 250);
  }
  /** The number in a box; null where it is empty, undefined where it is not a legal number. */
  typed(field) {
    const name = field.dataset.control, typed = field.value.trim();
    // "1,000" is a thousand; what "1,5" is depends on the reader, so it must be typed again.
    const text = /^\d{1,3}(,\d{3})+(\.\d*)?$/.test(typed) ? typed.replaceAll(",", "") : typed;
    const value = text === "" ? null : Number(text);
    const share = name === "level" || name === "probability", zero = name === "served";
    const legal = value === null ? name === "target" || zero
      : Number.isFinite(value) && (zero ? value >= 0 : value > 0) && (!share || value < 1) && value < 1e60;
    field.setAttribute("aria-invalid", String(!legal));
    return legal ? value : undefined;
  }
  get request() {
    const box = name => this.fields.find(f => f.dataset.control === name && f.type !== "range"), request = {};
    for (const name of ["amount", "target", "probability", "level", "compute", "data", "served"]) {
      const field = box(name), value = field.closest("[hidden]") ? this.starts[name] : this.typed(field);
      if (value === undefined) throw new Impossible(`${field.labels[0].textContent} must be a ${name === "level" || name === "probability" ? "number between 0 and 1" : "number above 0"}; it is "${field.value}".`);
      request[name] = value;
    }
    const starts = this.starts, exact = (value, start) => Math.abs(value / start - 1) < 1e-6 ? start : value;
    request.amount = exact(request.amount, starts.amount);
    request.served = request.served || 0;
    return {
      ...request, measure: box("measure").value,
      compute: starts.compute > 0 ? exact(request.compute, starts.compute) / starts.compute : 1,
      data: starts.data > 0 ? exact(request.data, starts.data) / starts.data : 1,
      serving: starts.served > 0 ? exact(request.served, starts.served) / starts.served : 1,
    };
  }
  update(fine) {
    find("control-level").hidden = this.problem.scenario.minimise === "cost" || !["quantile", "cvar"].includes(this.fields.find(f => f.dataset.control === "measure").value);
    try {
      const request = this.request, began = performance.now();
      const found = solve(this.problem, this.sample, this.costs[this.chosen], request, fine);
      this.summarise(found, request);
      this.draw(found, request);
      if (fine) this.further(found, request);
      find("explore").dataset.milliseconds = String(Math.round(performance.now() - began));
      find("explore-problem").textContent = "";
      find("explore").dataset.state = fine ? "settled" : "moving";
    } catch (error) {
      if (!(error instanceof Impossible)) throw error;
      find("explore-problem").textContent = `${error.message} What stands below is of the last legal entry.`;
      find("explore").dataset.state = "refused";
    }
  }
  summarise(found, request) {
    const unit = this.problem.amount.unit, { currency } = this.problem.scenario;
    put("now-params", found.params, count(found.params));
    put("now-tokens", found.tokens, count(found.tokens) + (found.epochs > 1.001 ? ` (each seen ${digits(found.epochs, 3)} times)` : ""));
    put("now-ratio", found.perParam, digits(found.perParam, 3));
    put("now-flops", found.flops, digits(found.flops, 3));
    put("now-loss", found.loss.mean, lossText(found.loss.mean));
    put("now-q05", found.loss.q05, lossText(found.loss.q05));
    put("now-q95", found.loss.q95, lossText(found.loss.q95));
    put("now-reached", found.loss.reached, found.loss.reached === null ? "no target" : percent(found.loss.reached));
    put("now-missed", found.loss.reached === null ? null : 1 - found.loss.reached, found.loss.reached === null ? "no target" : percent(1 - found.loss.reached));
    put("now-regret", found.regret.mean, digits(found.regret.mean, 2));
    put("now-regret95", found.regret.q95, digits(found.regret.q95, 2));
    put("now-cost", found.money && found.money.q50, found.money ? amountText(found.money.q50, currency) : "no price is stated");
    put("now-amount", found.amount, amountText(found.amount, unit));
    const { words, far } = found.reach, { guessing } = this.problem;
    find("now-times").textContent = words + (far ? ", far beyond any distance at which such forecasts were tested" : "");
    find("now-far").hidden = !words;
    find("now-guess").hidden = guessing === null || found.loss.q50 <= guessing;
    const target = request.target === null ? "" : `, ${lossText(request.target)} or less with probability ${percent(found.loss.reached)}`;
    find("explore-sentence").textContent =
      `${this.problem.scenario.minimise === "cost" ? "It takes" : "With"} ${amountText(found.amount, unit)}: train ${count(found.params)} parameters on ${count(found.tokens)} tokens; expected loss ${lossText(found.loss.mean)}, 90% between ${lossText(found.loss.q05)} and ${lossText(found.loss.q95)}${target}.`;
    this.describe("loss", `Distribution of the loss of one run: median ${lossText(found.loss.q50)}, 90% between ${lossText(found.loss.q05)} and ${lossText(found.loss.q95)}${target}.`);
    this.describe("regret", `Distribution of the regret: mean ${digits(found.regret.mean, 2)}, below ${digits(found.regret.q95, 2)} in 95% of cases.`);
    this.describe("size", `Loss against size with the tokens that the budget leaves: least near ${count(found.params)} parameters.`);
  }
  describe(name, text) { find(`chart-${name}`).setAttribute("aria-label", text); }
  draw(found, request) {
    const first = this.first || (this.first = {}), key = this.problem.plan;
    if (!first[key]) first[key] = found;
    const before = first[key], target = request.target === null ? [] : [{ at: request.target }];
    const ends = values => { const o = sorted(values); return [quantile(o, 0.002), quantile(o, 0.998)]; };
    const both = (a, b) => [Math.min(a[0], b[0]), Math.max(a[1], b[1])];
    const loss = both(ends(found.losses), ends(before.losses)), regret = [0, both(ends(found.regrets), ends(before.regrets))[1] || 1e-6];
    const near = request.target !== null && request.target > loss[0] - (loss[1] - loss[0]) && request.target < loss[1] + (loss[1] - loss[0]);
    this.show("loss", { now: bins(found.losses, ...loss), then: bins(before.losses, ...loss), target: near ? target : [] });
    this.show("regret", { now: bins(found.regrets, ...regret), then: bins(before.regrets, ...regret) });
    this.show("size", { line: found.line, here: [{ params: found.params, mean: found.loss.mean }], then: [{ params: this.problem.python.params, mean: this.problem.python.loss.mean }] });
  }
  show(name, data) {
    const view = this.views[name];
    for (const [set, rows] of Object.entries(data)) view.data(set, rows);
    view.runAsync();
  }
  further(found, request) {
    const unit = this.problem.amount.unit, factors = spaced(-1, 1, 13).map(v => Math.pow(10, v));
    const rows = frontier(found.problem, this.sample, factors, found.amount);
    const low = rows.length ? rows[rows.length - 1].q05 : 0, high = rows.length ? rows[0].q95 : 0;
    const near = request.target !== null && request.target > low && request.target < high;
    this.show("frontier", {
      line: rows, here: [{ budget: found.amount, mean: found.loss.mean }],
      then: [{ budget: this.problem.amount.value, mean: this.problem.python.loss.mean }], target: near ? [{ at: request.target }] : [],
    });
    this.describe("frontier", `Loss against budget: from ${lossText(high)} at a tenth of the budget to ${lossText(low)} at ten times.`);
    const body = find("frontier-rows");
    body.textContent = "";
    for (const row of rows) {
      const line = body.insertRow();
      const cells = [[row.budget, amountText(row.budget, unit)], [row.params, count(row.params)], [row.tokens, count(row.tokens)],
        [row.mean, lossText(row.mean)], [row.q05, lossText(row.q05)], [row.q95, lossText(row.q95)], [row.reached, row.reached === null ? "–" : percent(row.reached)]];
      for (const [value, text] of cells) {
        const data = document.createElement("data");
        data.value = value === null ? "" : String(value);
        data.textContent = text;
        line.insertCell().append(data);
      }
    }
  }
}

const page = find("explore-data") && read("explore-data");
if (page) new Explorer(page).start();
find("download")?.addEventListener("click", () => {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([find("report-data").textContent], { type: "application/json" }));
  link.download = find("download").dataset.name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 1000);
});
