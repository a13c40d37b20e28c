// The plan of least risk, again, from the same draws: what bayes_scaling.decisions does in Python.
// Names follow it: s, d and u are natural logs of parameters, tokens and unique tokens.

const LOG6 = Math.log(6), TRAINING = 6, SERVING = 2, TIE = 1e-6, EDGE = 1e-3;
const HALF = Math.log(1e6), TOP = Math.log(1e24), SIZES = 513, LINE = 385;
const GOLDEN = (Math.sqrt(5) - 1) / 2;
const QUANTILES = [0.05, 0.25, 0.5, 0.75, 0.95];

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
  const ordered = sorted(values), told = { mean: mean(values) };
  for (const q of QUANTILES) told["q" + String(Math.round(100 * q)).padStart(2, "0")] = quantile(ordered, q);
  return told;
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

class Impossible extends Error {}

/** Posterior draws of one family, and what is random beside the law. */
class Draws {
  constructor(values, noise, error, power, extent, law) {
    Object.assign(this, { values, noise, error, power, extent, law, size: noise.length });
    this.curve = law(values);
  }
  static unpack(given, law) {
    const read = text => {
      const bytes = Uint8Array.from(atob(text), c => c.charCodeAt(0)), view = new DataView(bytes.buffer);
      return Float64Array.from({ length: bytes.length / 4 }, (_, k) => view.getFloat32(4 * k, true));
    };
    return new Draws(given.values.map(read), read(given.noise), given.error && read(given.error),
      given.power, given.extent, law);
  }
  thinned(most) {
    const step = Math.ceil(this.size / most);
    if (step < 2) return this;
    const some = v => v && v.filter((_, k) => k % step === 0);
    return new Draws(this.values.map(some), some(this.noise), some(this.error), this.power, this.extent, this.law);
  }
  growth(s, d) {
    if (!this.error) return 0;
    const { low, high } = this.extent;
    const far = Math.max(0, s + d + LOG6 - high.flops, s - high.params, low.params - s,
      d - high.tokens, low.tokens - d);
    return Math.pow(far, this.power);
  }
  losses(s, d, u) {
    const growth = this.growth(s, d), out = new Float64Array(this.size);
    for (let i = 0; i < this.size; i++) {
      const luck = this.noise[i] + (growth ? growth * this.error[i] : 0);
      out[i] = Math.exp(this.curve(s, d, u, i) + luck);
    }
    return out;
  }
}

/** Prices as draws, changed by what a reader asked. */
class Costs {
  constructor(base, asked) {
    const scaled = (values, by) => values.map(v => v * by);
    this.perFlop = scaled(base.perFlop, asked.compute);
    this.perToken = scaled(base.perToken, asked.data);
    this.owned = base.owned === null ? Infinity : base.owned;
    this.secondsPerFlop = base.secondsPerFlop.map(v => v === null ? Infinity : v);
    if (base.servedFlops.some(v => v > 0)) {
      this.servedFlops = scaled(base.servedFlops, asked.serving);
      this.servedPrice = scaled(base.servedPrice, asked.serving * asked.compute);
    } else {
      this.servedFlops = [SERVING * asked.served];
      this.servedPrice = this.perFlop.map(v => v * SERVING * asked.served);
    }
    this.size = Math.max(this.perFlop.length, this.perToken.length, this.servedFlops.length,
      this.servedPrice.length, this.secondsPerFlop.length);
  }
  at(name, j) { const v = this[name]; return v.length > 1 ? v[j] : v[0]; }
  each(f) { return Float64Array.from({ length: this.size }, (_, j) => f(name => this.at(name, j))); }
  money(n, tokens, unique) {
    return this.each(of => TRAINING * n * tokens * of("perFlop") + n * of("servedPrice")
      + (of("perToken") ? Math.max(unique - this.owned, 0) * of("perToken") : 0));
  }
  seconds(n, tokens) { return this.each(of => TRAINING * n * tokens * of("secondsPerFlop")); }
  flops(n, tokens) { return this.each(of => TRAINING * n * tokens + n * of("servedFlops")); }
}

/** A risk of the loss along a budget line. */
class Problem {
  constructor(draws, costs, scenario, epochs) {
    Object.assign(this, { draws, costs, scenario, epochs, ranges: new Map(), tables: new Map() });
    const limits = scenario.limits;
    this.limits = Object.fromEntries(Object.entries(limits).map(([k, v]) => [k, v === null ? Infinity : v]));
  }
  with(changes) {
    return new Problem(changes.draws || this.draws, this.costs, { ...this.scenario, ...changes.scenario }, this.epochs);
  }
  scaled(factor) {
    const more = v => v === null ? null : v * factor, one = this.scenario;
    return this.with({ scenario: { flops: more(one.flops), money: more(one.money), seconds: more(one.seconds) } });
  }
  affordable(s, epochs) {
    const n = Math.exp(s), { flops, money, seconds, confidence } = this.scenario, owned = this.costs.owned;
    const left = this.costs.each(of => {
      let tokens = Infinity;
      if (flops !== null) tokens = Math.max(flops - n * of("servedFlops"), 0) / (TRAINING * n);
      if (money !== null) {
        const rest = Math.max(money - n * of("servedPrice"), 0), compute = TRAINING * n * of("perFlop");
        const free = compute > 0 ? rest / compute : Infinity, each = of("perToken") / epochs;
        const bought = free <= owned * epochs ? free
          : compute + each > 0 ? (rest + of("perToken") * owned) / (compute + each) : Infinity;
        tokens = Math.min(tokens, bought);
      }
      if (seconds !== null) tokens = Math.min(tokens, seconds / (of("secondsPerFlop") * TRAINING * n));
      return tokens;
    });
    return Math.log(left.length > 1 ? quantile(left.sort(), 1 - confidence) : left[0]);
  }
  capped(s, epochs) {
    return Math.min(this.affordable(s, epochs),
      Math.log(Math.min(this.limits.max_tokens, this.limits.max_unique_tokens * epochs)));
  }
  tokens(s, epochs) {
    if (this.costs.size === 1) return this.capped(s, epochs);
    if (!this.tables.has(epochs)) {
      const [low, high] = this.bounds(epochs);
      this.tables.set(epochs, [low, high, spaced(low, high, LINE).map(at => this.capped(at, epochs))]);
    }
    const [low, high, table] = this.tables.get(epochs);
    const at = Math.min(Math.max((s - low) / (high - low), 0), 1) * (LINE - 1), k = Math.min(Math.floor(at), LINE - 2);
    return table[k] + (at - k) * (table[k + 1] - table[k]);
  }
  bounds(epochs) {
    if (this.ranges.has(epochs)) return this.ranges.get(epochs);
    const { min_tokens, min_params, max_params } = this.limits;
    const atLeast = min_tokens ? Math.log(min_tokens) : 0;
    const sizes = spaced(0, TOP, SIZES), left = sizes.map(s => this.affordable(s, epochs));
    let last = -1;
    left.forEach((d, k) => { if (d >= atLeast) last = k; });
    if (last < 0) throw new Impossible("This budget leaves no tokens to train on at any size.");
    let top = sizes[last], wide = sizes[1];
    for (let round = 0; round < 4; round++) {
      let inside = top;
      for (const at of spaced(top, top + wide, 129)) if (this.affordable(at, epochs) >= atLeast) inside = at;
      top = inside; wide /= 128;
    }
    let low = min_params ? Math.log(min_params) : -Infinity, high = Math.min(Math.log(max_params), top);
    if (!(low <= high)) throw new Impossible("No configuration within this budget meets the limits.");
    const ended = max_params < Infinity || min_tokens > 0, begun = low > -Infinity;
    const once = epochs === 1 ? left : sizes.map(s => this.affordable(s, 1));
    const middle = sizes[Math.max(once.findIndex((d, k) => d <= sizes[k]), 0)];
    if (!begun) low = middle - HALF;
    if (!ended) high = Math.min(high, middle + HALF);
    this.ranges.set(epochs, [low, high, begun, ended]);
    return this.ranges.get(epochs);
  }
  /** Best size and epochs of every draw. */
  optimum(draws, tolerance) {
    const sizes = new Float64Array(draws.size), epochs = new Float64Array(draws.size).fill(1);
    const best = new Float64Array(draws.size).fill(Infinity);
    for (const e of this.epochs) {
      const [low, high, begun, ended] = this.bounds(e), logE = Math.log(e);
      const grid = spaced(low, high, 65), tokens = grid.map(s => this.tokens(s, e));
      let down = 0, up = 0;
      for (let i = 0; i < draws.size; i++) {
        let at = 0, lowest = Infinity;
        for (let k = 0; k < 65; k++) {
          const value = draws.curve(grid[k], tokens[k], tokens[k] - logE, i);
          if (value < lowest) { lowest = value; at = k; }
        }
        const f = s => { const d = this.tokens(s, e); return draws.curve(s, d, d - logE, i); };
        let [s, value] = least(f, grid[Math.max(at - 1, 0)], grid[Math.min(at + 1, 64)], tolerance);
        for (const end of [low, high]) { const there = f(end); if (there <= value) { s = end; value = there; } }
        if (s < low + EDGE) down++;
        if (s > high - EDGE) up++;
        if (value < best[i]) { best[i] = value; sizes[i] = s; epochs[i] = e; }
      }
      if ((down && !begun) || (up && !ended))
        throw new Impossible("The law has no compute-optimal size here: its loss falls without end along the budget.");
    }
    return { sizes, epochs, logs: best };
  }
  /** Loss of the best plan of every draw, with the same luck. */
  bestLosses(draws, found) {
    const s = quantile(sorted(found.sizes), 0.5), d = this.tokens(s, quantile(sorted(found.epochs), 0.5));
    const growth = draws.growth(s, d);
    return found.logs.map((v, i) => Math.exp(v + draws.noise[i] + (growth ? growth * draws.error[i] : 0)));
  }
  risk(losses, best) {
    const { measure, level, aversion, target } = this.scenario, n = losses.length;
    if (measure === "mean") return mean(losses);
    if (measure === "quantile") return quantile(sorted(losses), level);
    if (measure === "cvar") {
      const ordered = sorted(losses), at = ordered[Math.max(Math.ceil(n * level - 1e-9) - 1, 0)];
      let over = 0;
      for (const v of ordered) over += Math.max(v - at, 0);
      return at + over / n / (1 - level);
    }
    if (measure === "entropic") {
      const top = Math.max(...losses);
      let sum = 0;
      for (const v of losses) sum += Math.exp(aversion * (v - top));
      return top + Math.log(sum / n) / aversion;
    }
    if (measure === "miss") { let missed = 0; for (const v of losses) missed += v > target; return missed / n; }
    let most = -Infinity;
    for (let i = 0; i < n; i++) most = Math.max(most, losses[i] - best[i]);
    return most;
  }
  objective(losses, best) {
    return this.risk(losses, best) + (this.scenario.measure === "miss" ? TIE * mean(losses) : 0);
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
        return Math.min(...here.epochs.map(e => here.bestSize(draws, e, sizes, 17, 1e-3, null)[0])) <= this.scenario.target;
      } catch (error) { if (error instanceof Impossible) return false; throw error; }
    };
    const cap = most === null ? Infinity : most;
    let high = Math.min(start, cap), low;
    while (!reaches(high)) {
      if (high === cap || high > start * 1e15) throw new Impossible("No budget within the limits reaches this target with this probability.");
      high = Math.min(high * 4, cap);
    }
    for (low = high / 4; reaches(low); low /= 4) {
      high = low;
      if (low < start / 1e15) throw new Impossible("Every budget reaches this target: there is no least one.");
    }
    while (high / low > 1.0001) { const middle = Math.sqrt(low * high); if (reaches(middle)) high = middle; else low = middle; }
    return at(high);
  }
}

/** All that a page shows of a plan, for what a reader asked. */
function solve(given, draws, asked, fine) {
  const { amount, measure, level, target, probability } = asked;
  const scenario = { ...given.scenario, measure, level, target, probability };
  if (given.scenario.minimise !== "cost") scenario[given.amount.name] = amount;
  if (measure === "miss" && target === null) throw new Impossible("Give a target loss, or choose another attitude.");
  const served = given.scenario.minimise === "cost" ? { ...scenario, [given.amount.name]: given.cap } : scenario;
  const some = fine ? draws : draws.thinned(400);
  let here = new Problem(some, new Costs(given.costs, asked), served, given.epochs);
  if (given.scenario.minimise === "cost") {
    if (target === null) throw new Impossible("Give a target loss: the least cost is that of reaching it.");
    here = here.cheapest(fine ? draws.thinned(2000) : some, given.priced, given.amount.value);
  }
  const found = here.optimum(some, 1e-5), plan = here.plan(some, found, fine ? 97 : 33, 1e-5);
  const n = Math.exp(plan.s), tokens = Math.exp(plan.d), unique = tokens / plan.epochs;
  const losses = some.losses(plan.s, plan.d, plan.d - Math.log(plan.epochs)), best = here.bestLosses(some, found);
  const regrets = losses.map((v, i) => Math.max(v - best[i], 0));
  const priced = given.priced, timed = here.costs.secondsPerFlop.every(Number.isFinite);
  return {
    problem: here, params: n, tokens, epochs: plan.epochs, perParam: tokens / n, flops: TRAINING * n * tokens,
    reach: reach(given, plan.s, plan.d), amount: here.scenario[given.amount.name],
    losses, regrets, loss: describe(losses), regret: describe(regrets), risk: here.risk(losses, best),
    optimum: describe(found.sizes.map(Math.exp)),
    reached: target === null ? null : losses.reduce((sum, v) => sum + (v <= target), 0) / losses.length,
    money: priced ? describe(here.costs.money(n, tokens, unique)) : null,
    seconds: timed ? describe(here.costs.seconds(n, tokens)) : null,
    spent: describe(here.costs.flops(n, tokens)),
    line: along(here, some.thinned(1000), plan),
  };
}

/** How far a plan lies outside the fitted runs, in words; "" inside: as forecast/reach.py has it. */
function reach({ runs, extrapolated }, s, d) {
  const words = { flops: "compute", params: "parameters", tokens: "tokens" }, names = Object.keys(words);
  const at = { flops: s + d + LOG6, params: s, tokens: d }, limit = Math.log(extrapolated);
  const most = by => names.reduce((best, name) => by(name) > by(best) ? name : best);
  const over = name => at[name] - runs.high[name], under = name => runs.low[name] - at[name];
  const above = over("flops") > limit ? "flops" : most(over), below = most(under), said = [];
  if (over(above) > limit) said.push(`${digits(Math.exp(over(above)), 2)} times the ${words[above]} of the largest fitted run`);
  if (under(below) > limit) said.push(`1/${digits(Math.exp(under(below)), 2)} of the ${words[below]} of the smallest fitted run`);
  return { words: said.join(" and "), far: Math.max(over(above), under(below)) > Math.log(1000) };
}

/** The loss along the budget line about a plan. */
function along(here, draws, plan) {
  const [low, high] = here.bounds(plan.epochs);
  const sizes = spaced(plan.s - 1.5 * Math.LN10, plan.s + 1.5 * Math.LN10, 49).filter(s => s >= low && s <= high);
  return sizes.map(s => {
    const losses = here.lossesAt(draws, s, plan.epochs), ordered = sorted(losses);
    return { params: Math.exp(s), mean: mean(losses), q05: quantile(ordered, 0.05), q95: quantile(ordered, 0.95) };
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
      const losses = draws.losses(plan.s, plan.d, plan.d - Math.log(plan.epochs)), target = there.scenario.target;
      rows.push({
        budget: factor * amount, params: Math.exp(plan.s), tokens: Math.exp(plan.d), ...describe(losses),
        reached: target === null ? null : losses.reduce((sum, v) => sum + (v <= target), 0) / losses.length,
      });
    } catch (error) { if (!(error instanceof Impossible)) throw error; }
  }
  return rows;
}
