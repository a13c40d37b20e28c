// The plan of least risk, searched again as bayes_scaling.decisions does in Python. Losses, affordable
// tokens, costs and distances are translated from the Python (TRACED), its constants travel with the
// data (SEARCH). s, d and u are natural logs of parameters, tokens and unique tokens.

const GOLDEN = (Math.sqrt(5) - 1) / 2;
const QUANTILES = [0.05, 0.25, 0.5, 0.75, 0.95];
let SEARCH = null;

function logaddexp(a, b) {
  const most = Math.max(a, b);
  return most === -Infinity ? most : most + Math.log1p(Math.exp(-Math.abs(a - b)));
}
function spaced(low, high, points) {
  return Array.from({ length: points }, (_, k) => low + (high - low) * k / Math.max(points - 1, 1));
}
function sorted(values) { return Float64Array.from(values).sort(); }
function quantile(ordered, level) {
  const at = level * (ordered.length - 1), low = Math.floor(at), high = Math.ceil(at);
  if (low === high) return ordered[low];
  return ordered[low] + (at - low) * (ordered[high] - ordered[low]);
}
function mean(values) { let sum = 0; for (const v of values) sum += v; return sum / values.length; }
function describe(values) {
  const ordered = sorted(values), summary = { mean: mean(values) };
  for (const q of QUANTILES) summary["q" + String(Math.round(100 * q)).padStart(2, "0")] = quantile(ordered, q);
  return summary;
}
function least(f, low, high, tolerance) {
  let left = high - GOLDEN * (high - low), right = low + GOLDEN * (high - low);
  let fl = f(left), fr = f(right);
  while (high - low > tolerance) {
    if (fl < fr) { high = right; right = left; fr = fl; left = high - GOLDEN * (high - low); fl = f(left); }
    else { low = left; left = right; fl = fr; right = low + GOLDEN * (high - low); fr = f(right); }
  }
  const at = (low + high) / 2;
  return [at, f(at)];
}

/** Measures of risk of equally likely losses: the mean of what a measure makes of each, or a quantile. */
const RISKS = {
  mean,
  quantile: (losses, { level }) => quantile(sorted(losses), level),
  cvar: (losses, { level }) => {
    const at = sorted(losses)[Math.max(Math.ceil(losses.length * level - 1e-9) - 1, 0)];
    return at + mean(losses.map(v => Math.max(v - at, 0))) / (1 - level);
  },
  entropic: (losses, { aversion }) => {
    const top = Math.max(...losses);
    return top + Math.log(mean(losses.map(v => Math.exp(aversion * (v - top))))) / aversion;
  },
  miss: (losses, { target }) => mean(losses.map(v => v > target)),
  regret: (losses, _, best) => Math.max(...losses.map((v, i) => v - best[i])),
};
/** What a page shows of losses. */
function outcome(losses, target) {
  return { ...describe(losses), reached: target === null ? null : mean(losses.map(v => v <= target)) };
}

class Impossible extends Error {}

function unpack(text) {
  const bytes = Uint8Array.from(atob(text), c => c.charCodeAt(0)), view = new DataView(bytes.buffer);
  return Float64Array.from({ length: bytes.length / 4 }, (_, k) => view.getFloat32(4 * k, true));
}
const infinite = v => v === null ? Infinity : v;

/** Posterior draws of one family, with what is random beside the law. */
class Draws {
  constructor(arrays, traced) {
    Object.assign(this, { arrays, traced, size: arrays[0].length });
    for (const name of ["curve", "losses", "deviation"]) this[name] = traced[name](arrays);
  }
  thinned(most) {
    const step = Math.ceil(this.size / most);
    return step < 2 ? this : new Draws(this.arrays.map(v => v.filter((_, k) => k % step === 0)), this.traced);
  }
}

/** What plans cost and budgets leave, over draws of the prices. */
class Costs {
  constructor(prices, traced) {
    const arrays = Object.values(prices);
    this.size = Math.max(...arrays.map(v => v.length));
    const whole = arrays.map(v => v.length === this.size ? v : new Float64Array(this.size).fill(v[0]));
    for (const name of ["tokens", "money"]) this[name] = traced[name](whole);
  }
}

/** A risk of the loss along a budget line. */
class Problem {
  constructor(draws, costs, scenario, epochs) {
    Object.assign(this, { draws, costs, scenario, epochs, ranges: new Map(), tables: new Map() });
    this.limits = Object.fromEntries(Object.entries(scenario.limits).map(([k, v]) => [k, infinite(v)]));
  }
  with(changes) {
    return new Problem(changes.draws || this.draws, this.costs, { ...this.scenario, ...changes.scenario }, this.epochs);
  }
  scaled(factor) {
    const more = v => v === null ? null : v * factor, one = this.scenario;
    return this.with({ scenario: { flops: more(one.flops), money: more(one.money), seconds: more(one.seconds) } });
  }
  affordable(s, epochs) {
    const left = this.costs.tokens(Math.exp(s), epochs, this.scenario);
    return Math.log(left.length > 1 ? quantile(left.sort(), 1 - this.scenario.confidence) : left[0]);
  }
  capped(s, epochs) {
    return Math.min(this.affordable(s, epochs),
      Math.log(Math.min(this.limits.max_tokens, this.limits.max_unique_tokens * epochs)));
  }
  tokens(s, epochs) {
    if (this.costs.size === 1) return this.capped(s, epochs);
    if (!this.tables.has(epochs)) {
      const [low, high] = this.bounds(epochs);
      this.tables.set(epochs, [low, high, spaced(low, high, SEARCH.line).map(at => this.capped(at, epochs))]);
    }
    const [low, high, table] = this.tables.get(epochs);
    const at = Math.min(Math.max((s - low) / (high - low), 0), 1) * (SEARCH.line - 1), k = Math.min(Math.floor(at), SEARCH.line - 2);
    return table[k] + (at - k) * (table[k + 1] - table[k]);
  }
  bounds(epochs) {
    if (this.ranges.has(epochs)) return this.ranges.get(epochs);
    const { min_tokens, min_params, max_params } = this.limits;
    const atLeast = min_tokens ? Math.log(min_tokens) : 0;
    const sizes = spaced(0, SEARCH.largest, SEARCH.sizes), left = sizes.map(s => this.affordable(s, epochs));
    let last = -1;
    left.forEach((d, k) => { if (d >= atLeast) last = k; });
    if (last < 0) throw new Impossible("This budget leaves no tokens to train on at any size.");
    let top = sizes[last], wide = sizes[1];
    for (let round = 0; round < SEARCH.rounds; round++) {
      let inside = top;
      for (const at of spaced(top, top + wide, SEARCH.zoom)) if (this.affordable(at, epochs) >= atLeast) inside = at;
      top = inside; wide /= SEARCH.zoom - 1;
    }
    let low = min_params ? Math.log(min_params) : -Infinity, high = Math.min(Math.log(max_params), top);
    if (!(low <= high)) throw new Impossible("No configuration within this budget meets the limits.");
    const ended = max_params < Infinity || min_tokens > 0, begun = low > -Infinity;
    const once = epochs === 1 ? left : sizes.map(s => this.affordable(s, 1));
    const middle = sizes[Math.max(once.findIndex((d, k) => d <= sizes[k]), 0)];
    if (!begun) low = middle - SEARCH.halfWidth;
    if (!ended) high = Math.min(high, middle + SEARCH.halfWidth);
    this.ranges.set(epochs, [low, high, begun, ended]);
    return this.ranges.get(epochs);
  }
  /** Best size and epochs of every draw. */
  optimum(draws, tolerance) {
    const sizes = new Float64Array(draws.size), epochs = new Float64Array(draws.size).fill(1);
    const best = new Float64Array(draws.size).fill(Infinity);
    for (const e of this.epochs) {
      const [low, high, begun, ended] = this.bounds(e), logE = Math.log(e);
      const last = SEARCH.drawGrid - 1, grid = spaced(low, high, last + 1), tokens = grid.map(s => this.tokens(s, e));
      let down = 0, up = 0;
      for (let i = 0; i < draws.size; i++) {
        let at = 0, lowest = Infinity;
        for (let k = 0; k <= last; k++) {
          const value = draws.curve(grid[k], tokens[k], tokens[k] - logE, i);
          if (value < lowest) { lowest = value; at = k; }
        }
        const f = s => { const d = this.tokens(s, e); return draws.curve(s, d, d - logE, i); };
        let [s, value] = least(f, grid[Math.max(at - 1, 0)], grid[Math.min(at + 1, last)], tolerance);
        for (const end of [low, high]) { const there = f(end); if (there <= value) { s = end; value = there; } }
        if (s < low + SEARCH.edge) down++;
        if (s > high - SEARCH.edge) up++;
        if (value < best[i]) { best[i] = value; sizes[i] = s; epochs[i] = e; }
      }
      if ((down && !begun) || (up && !ended))
        throw new Impossible("The law has no compute-optimal size here: its loss falls without end along the budget.");
    }
    return { sizes, epochs, logs: best };
  }
  /** Loss of the best plan of every draw, with the noise of any other plan. */
  bestLosses(draws, found) {
    const s = quantile(sorted(found.sizes), 0.5), d = this.tokens(s, quantile(sorted(found.epochs), 0.5));
    const beyond = draws.deviation(s, d, d);
    return found.logs.map((v, i) => Math.exp(v + beyond[i]));
  }
  risk(losses, best) { return RISKS[this.scenario.measure](losses, this.scenario, best); }
  objective(losses, best) {
    return this.risk(losses, best) + (this.scenario.measure === "miss" ? SEARCH.tie * mean(losses) : 0);
  }
  lossesAt(draws, s, e) { const d = this.tokens(s, e); return draws.losses(s, d, d - Math.log(e)); }
  bestSize(draws, e, sizes, points, tolerance, best) {
    const [low, high] = this.bounds(e), ordered = sorted(sizes), inside = v => Math.min(Math.max(v, low), high);
    const grid = spaced(inside(quantile(ordered, 0.005) - 1), inside(quantile(ordered, 0.995) + 1), points);
    const f = s => this.objective(this.lossesAt(draws, s, e), best);
    const risks = grid.map(f);
    const at = risks.indexOf(Math.min(...risks));
    const left = grid[Math.max(at - 1, 0)], right = grid[Math.min(at + 1, points - 1)];
    if (right <= left) return [risks[at], left];
    const [s, risk] = least(f, left, right, tolerance);
    return risk <= risks[at] ? [risk, s] : [risks[at], grid[at]];
  }
  plan(draws, found, points, tolerance) {
    const best = this.scenario.measure === "regret" ? this.bestLosses(draws, found) : null;
    let chosen = null;
    for (const e of this.epochs) {
      const [risk, s] = this.bestSize(draws, e, found.sizes, points, tolerance, best);
      if (!chosen || risk < chosen.objective) chosen = { objective: risk, s, d: this.tokens(s, e), epochs: e };
    }
    return chosen;
  }
  /** The problem at the least budget whose best plan reaches the target, by bisection. */
  cheapest(draws, priced, start) {
    const name = priced ? "money" : "flops", most = this.scenario[name], few = draws.thinned(250);
    const at = amount => this.with({ scenario: { [name]: amount, measure: "quantile", level: this.scenario.probability } });
    const reaches = amount => {
      const here = at(amount);
      try {
        const { sizes } = here.optimum(few, 1e-2);
        return Math.min(...here.epochs.map(e => here.bestSize(draws, e, sizes, SEARCH.costGrid, 1e-3, null)[0])) <= this.scenario.target;
      } catch (error) { if (error instanceof Impossible) return false; throw error; }
    };
    const cap = infinite(most);
    let high = Math.min(start, cap), low;
    while (!reaches(high)) {
      if (high === cap || high > start * SEARCH.farthest) throw new Impossible("No budget within the limits reaches this target with this probability.");
      high = Math.min(high * SEARCH.step, cap);
    }
    for (low = high / SEARCH.step; reaches(low); low /= SEARCH.step) {
      high = low;
      if (low < start / SEARCH.farthest) throw new Impossible("Every budget reaches this target: there is no least one.");
    }
    while (high / low > 1 + SEARCH.precision) { const middle = Math.sqrt(low * high); if (reaches(middle)) high = middle; else low = middle; }
    return at(high);
  }
}

/** All that a page shows of a plan, for a request of the reader. */
function solve(stated, draws, costs, request, fine) {
  const { amount, measure, target } = request;
  const cheapest = stated.scenario.minimise === "cost", scenario = { ...stated.scenario, ...request };
  scenario[stated.amount.name] = cheapest ? stated.most : amount;
  if (measure === "miss" && target === null) throw new Impossible("Give a target loss, or choose another attitude.");
  const some = fine ? draws : draws.thinned(400);
  let here = new Problem(some, costs, scenario, stated.epochs);
  if (cheapest) {
    if (target === null) throw new Impossible("Give a target loss: the least cost is that of reaching it.");
    here = here.cheapest(fine ? draws.thinned(2000) : some, stated.priced, stated.amount.value);
  }
  const found = here.optimum(some, 1e-5), plan = here.plan(some, found, fine ? SEARCH.planGrid : 33, 1e-5);
  const n = Math.exp(plan.s), tokens = Math.exp(plan.d), unique = tokens / plan.epochs;
  const losses = some.losses(plan.s, plan.d, plan.d - Math.log(plan.epochs)), best = here.bestLosses(some, found);
  const regrets = losses.map((v, i) => Math.max(v - best[i], 0));
  return {
    problem: here, params: n, tokens, epochs: plan.epochs, perParam: tokens / n, flops: SEARCH.training * n * tokens,
    reach: reach(draws.traced.outside(plan.s, plan.d)), amount: here.scenario[stated.amount.name],
    losses, regrets, loss: outcome(losses, target), regret: describe(regrets),
    money: stated.priced ? describe(costs.money(n, tokens, unique, scenario)) : null,
    line: along(here, some.thinned(1000), plan),
  };
}

/** How far a plan lies outside the fitted runs, in words; "" inside. */
function reach(outside) {
  const names = SEARCH.sizeNames, above = outside.slice(0, names.length), below = outside.slice(names.length);
  const limit = Math.log(SEARCH.extrapolated), far = Math.max(...outside), parts = [];
  const over = above[0] > limit ? 0 : above.indexOf(Math.max(...above)), under = below.indexOf(Math.max(...below));
  if (above[over] > limit) parts.push(`${digits(Math.exp(above[over]), 2)} times the ${names[over]} of the largest fitted run`);
  if (below[under] > limit) parts.push(`1/${digits(Math.exp(below[under]), 2)} of the ${names[under]} of the smallest fitted run`);
  return { words: parts.join(" and "), far: far > Math.log(SEARCH.tested) };
}

/** The loss along the budget line about a plan. */
function along(here, draws, plan) {
  const [low, high] = here.bounds(plan.epochs);
  const sizes = spaced(plan.s - 1.5 * Math.LN10, plan.s + 1.5 * Math.LN10, 49).filter(s => s >= low && s <= high);
  return sizes.map(s => {
    return { params: Math.exp(s), ...describe(here.lossesAt(draws, s, plan.epochs)) };
  });
}

/** Plans for budgets about the present one. */
function frontier(here, draws, factors, amount) {
  // Regret compares plans of one budget; between budgets the mean does.
  const start = here.scenario.measure === "regret" ? here.with({ scenario: { measure: "mean" } }) : here;
  const few = draws.thinned(150), some = draws.thinned(1000), rows = [];
  for (const factor of factors) {
    try {
      const there = start.scaled(factor), { sizes } = there.optimum(few, 1e-2);
      const plan = there.plan(some, { sizes }, 9, 1e-3);
      const losses = draws.losses(plan.s, plan.d, plan.d - Math.log(plan.epochs));
      rows.push({ budget: factor * amount, params: Math.exp(plan.s), tokens: Math.exp(plan.d), ...outcome(losses, there.scenario.target) });
    } catch (error) { if (!(error instanceof Impossible)) throw error; }
  }
  return rows;
}
