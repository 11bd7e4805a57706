// A card: one table of the plan a tab, its largest rows as bars, all of them in a dialog, and as CSV.
import * as api from './api.js';
import {change, state} from './state.js';
import {closeDialog, el, openDialog, put, tabs} from './dom.js';
import {loadWorld, mapOf} from './map.js';
import {ATTRIBUTION, figure, many, measure, number, one, OTHER, plural, valueOf, valueText} from './words.js';

const TOP = 8;
const PAGE = 100;
const DRILL_ROWS = 10000;  // of a table of two dimensions, the largest

// Which table goes into which card, by its one dimension.
const CARDS = [
  {id: 'pages', title: 'Top pages', dims: ['route', 'entry', 'exit'], names: {route: 'Viewed', entry: 'Entry', exit: 'Exit'}},
  {id: 'sources', title: 'Sources', dims: ['referrer', 'channel', 'source'], names: {source: 'Tagged'}},
  {id: 'countries', title: 'Countries', dims: ['country', 'region', 'language'], map: true},
  {id: 'devices', title: 'Devices', dims: ['browser', 'system', 'device', 'screen'], names: {browser: 'Browser', system: 'System', device: 'Type', screen: 'Screen'}},
  {id: 'events', title: 'Events', dims: ['event']},
  {id: 'campaigns', title: 'Campaigns', dims: ['campaign', 'medium', 'term']},
];

const label = t => t.dimensions.map(many).join(' × ') || t.doc;
const columns = t => (t.dimensions.length ? t.dimensions : []);

// The cards of a plan, each with its tables, and the tables that have no place of their own.
export function plan(c) {
  // A crowd table of everybody is the overview; one with noise has a tab as the others.
  const left = new Set(c.tables.filter(t => (t.profile === 'noise' || t.dimensions.length) && t.dimensions[0] !== 'hour'
    && (t.dimensions.length === 1 || t.profile === 'noise' || !c.drills(t))));
  const cards = CARDS.map(spec => {
    const of = spec.dims.flatMap(d => {
      const t = c.tables.find(x => x.dimensions.length === 1 && x.dimensions[0] === d && x.profile === 'crowd' && !x.share)
        ?? c.tables.find(x => x.dimensions.length === 1 && x.dimensions[0] === d);
      if (t) left.delete(t);
      return t ? [{table: t, text: spec.names?.[d] ?? many(d)}] : [];
    });
    return {...spec, of};
  }).filter(x => x.of.length);
  return {cards, left: [...left]};
}

// One card of all those that have rows, or null. Asks for a row of each: only when somebody comes near it.
export async function further(c, left) {
  const found = await Promise.all(left.map(t => api.rows(c.site.name, t, c.days, {limit: 1}, c.signal).catch(failure => {
    if (failure.name === 'AbortError') throw failure;
    return [];
  })));
  const of = left.filter((_, i) => found[i].length).map(t => ({table: t, text: noisy(t) ? `${label(t)} (estimates)` : label(t)}));
  return of.length ? card(c, {id: 'more', title: 'Further tables', of, broad: true}) : null;
}

// ---- rows ----

const noisy = t => t.profile === 'noise';

function value(t, row, name) {
  const v = valueOf(row, name), text = figure(name, v);
  if (v === null || !noisy(t)) return text;
  return [el('span', {'aria-hidden': 'true'}, '≈ '), text, row.half_width ? el('span', {class: 'band'}, ` ± ${number(row.half_width)}`) : null];
}

function names(c, t, row) {
  const texts = columns(t).map(d => valueText(d, row[d]));
  if (row[columns(t)[0]] === OTHER) return el('span', {class: 'rest', title: 'In no row of their own'}, valueText('', OTHER));
  const text = texts.join(' · ') || 'Everybody', dim = t.dimensions[0];
  if (t.dimensions.length !== 1 || !c.drillsOf(dim).length) return el('span', {class: 'name', title: text}, text);
  return el('button', {type: 'button', class: 'name link', title: `${text}: by ${c.drillsOf(dim).map(x => one(x.other)).join(', ')}`,
    onclick: () => c.open(dim, row[dim])}, text);
}

const headOf = (t, name, oneDay) => `${measure(name, oneDay)}, ${noisy(t) ? 'about' : 'at least'}`;

function list(c, t, rows, caption) {
  const rest = r => r[columns(t)[0]] === OTHER;
  const end = r => (valueOf(r, 'people') ?? 0) + (noisy(t) ? r.half_width ?? 0 : 0);
  const most = Math.max(1, ...rows.map(r => (rest(r) ? 0 : end(r))));
  const at = n => `${(100 * Math.max(0, n) / most).toFixed(1)}%`;
  // How far the noise reaches on either side of an estimate.
  const reach = (v, half) => {
    const e = el('span', {class: 'reach', 'aria-hidden': 'true'});
    Object.assign(e.style, {insetInlineStart: at(v - half), inlineSize: at(half + Math.min(v, half))});
    return e;
  };
  return el('table', {class: 'list'},
    el('caption', {class: 'unseen'}, caption),
    el('thead', {}, el('tr', {}, el('th', {scope: 'col'}, columns(t).map(one).join(' · ') || 'Who'), el('th', {scope: 'col', class: 'num'}, headOf(t, 'people', c.oneDay)))),
    el('tbody', {}, rows.map(row => {
      const bar = rest(row) ? '' : el('span', {class: 'fill', 'aria-hidden': 'true'});
      if (bar) bar.style.inlineSize = at(valueOf(row, 'people') ?? 0);
      return el('tr', {'data-key': columns(t).map(d => row[d]).join('\t')}, el('th', {scope: 'row'}, bar, noisy(t) && row.half_width ? reach(valueOf(row, 'people'), row.half_width) : null, names(c, t, row)), el('td', {class: 'num', 'data-value': valueOf(row, 'people') ?? ''}, value(t, row, 'people')));
    })));
}

const none = () => el('p', {class: 'muted middle'}, 'No row hides enough people to be shown here. A missing row is not zero.');

function failed(failure, again) {
  return el('div', {class: 'middle', role: 'alert'}, el('p', {}, failure.message), el('button', {type: 'button', class: 'plain', onclick: again}, 'Try again'));
}

// ---- all rows ----

function allTable(c, t) {
  const shown = t.measures;
  return {
    head: el('thead', {}, el('tr', {}, columns(t).map(d => el('th', {scope: 'col'}, one(d))), shown.map(m => el('th', {scope: 'col', class: 'num'}, headOf(t, m, c.oneDay))))),
    row: (r, half) => el('tr', {}, columns(t).map((d, i) => {
      const text = r.other ? (i ? '' : 'Everybody in rows not shown') : valueText(d, r[d]);
      return i ? el('td', {}, text) : el('th', {scope: 'row'}, text);
    }), shown.map(m => el('td', {class: 'num'}, value(t, {...r, half_width: half}, m)))),
  };
}

async function all(c, t) {
  const {head, row} = allTable(c, t), body = el('tbody'), note = el('p', {class: 'muted', role: 'status'}), foot = el('div', {class: 'dialog-foot'}, note);
  openDialog(label(t), el('div', {}, el('div', {class: 'scroll', tabindex: '0', role: 'region', 'aria-label': 'Rows'},
    el('table', {class: 'plain-table'}, el('caption', {class: 'unseen'}, t.doc), head, body)), foot));
  const next = async cursor => {
    foot.querySelector('button')?.remove();
    try {
      const r = await api.report(c.site.name, t.id, c.days, {limit: PAGE, ...(cursor ? {cursor} : {})});
      body.append(...r.rows.map(x => row(x, r.half_width)));
      note.textContent = `${number(body.rows.length)} of ${plural(r.rows_total ?? body.rows.length, 'published row')}. ${noisy(t) ? 'Estimates: noise stays within ± in 95 of 100 draws.' : 'Every figure is a floor.'}`;
      if (r.next) foot.append(el('button', {type: 'button', class: 'plain', onclick: () => next(r.next)}, 'More rows'));
    } catch (failure) {
      if (failure.status === 409) body.replaceChildren();  // rows were published meanwhile: from the start
      foot.append(failed(failure, () => next(failure.status === 409 ? null : cursor)));
    }
  };
  await next(null);
}

// ---- drill-down: one value of a dimension, along the plan's tables of two ----

export async function drill(c, dim, chosen) {
  const of = c.drillsOf(dim);
  if (!of.length) return;
  const body = el('div', {class: 'drills'}, of.map(() => el('div', {class: 'wait'})));
  openDialog(valueText(dim, chosen), body, () => change({in: null}, {quiet: true}));
  await Promise.all(of.map(async ({table, other}, i) => {
    const shape = {...table, dimensions: [other]};
    const part = el('section', {}, el('h3', {}, `By ${one(other).toLowerCase()}`));
    try {
      const rows = await api.rows(c.site.name, table, c.days, {limit: DRILL_ROWS}, c.signal);
      const mine = rows.filter(r => r[dim] === chosen);
      part.append(mine.length ? list({...c, drillsOf: () => []}, shape, mine, `${valueText(dim, chosen)} by ${one(other)}`) : none());
      if (rows.length === DRILL_ROWS) part.append(el('p', {class: 'muted'}, `Of the ${number(DRILL_ROWS)} largest rows of ${table.id}.`));
    } catch (failure) {
      if (failure.name === 'AbortError') return;
      part.append(failed(failure, () => drill(c, dim, chosen)));
    }
    body.children[i].replaceWith(part);
  }));
}

export const closeDrill = closeDialog;

// ---- a card ----

async function fill(c, t, panel, spec) {
  panel.setAttribute('aria-busy', 'true');
  try {
    const mapped = spec.map && t.dimensions[0] === 'country';
    const [rows, world] = await Promise.all([api.rows(c.site.name, t, c.days, {limit: mapped ? 300 : TOP}, c.signal), mapped ? loadWorld() : null]);
    if (panel.dataset.table !== t.id) return;  // another tab was chosen meanwhile
    if (!rows.length) return panel.replaceChildren(none());
    const shown = list(c, t, rows.slice(0, TOP), `${t.doc}: the largest rows`);
    panel.replaceChildren(...(mapped ? [
      world ? mapOf(rows, c.oneDay, 'people', valueOf, c.drillsOf('country').length ? code => c.open('country', code) : null)
        : el('p', {class: 'muted middle'}, 'This build has no map: ./setup fetches it before Winnow is built.'), shown] : [shown]));
    panel.classList.toggle('with-map', Boolean(mapped));
  } catch (failure) {
    if (failure.name !== 'AbortError') panel.replaceChildren(failed(failure, () => fill(c, t, panel, spec)));
  } finally {
    panel.removeAttribute('aria-busy');
  }
}

// Gives the card and a promise of its rows. Its open tab is part of the address.
export function card(c, spec) {
  const chosen = Math.max(0, spec.of.findIndex(x => x.table.id === state[spec.id]));
  const id = `${spec.id}-panel`, tabbed = spec.of.length > 1, now = () => spec.of[at].table;
  let at = chosen;
  const panel = el('div', {class: 'panel', id, role: tabbed ? 'tabpanel' : null}, el('div', {class: 'wait'}));
  const csv = el('a', {class: 'quiet', download: true, onclick: api.download}, 'CSV');
  const foot = el('p', {class: 'card-foot'});
  const open = i => {
    at = i;
    const t = now();
    panel.dataset.table = t.id;
    panel.classList.remove('with-map');
    if (tabbed) panel.setAttribute('aria-labelledby', `${spec.id}-tab-${i}`);
    csv.href = api.reportPath(c.site.name, t.id, c.days, {format: 'csv'});
    csv.setAttribute('aria-label', `${label(t)} as CSV`);
    const place = t.dimensions.some(d => d === 'country' || d === 'region');
    put(foot, el('button', {type: 'button', class: 'quiet', 'aria-label': `All rows: ${label(t)}`, onclick: () => all(c, now())}, 'All rows'), csv,
      place ? el('span', {class: 'credit'}, 'Places: ', el('a', {href: ATTRIBUTION, rel: 'noreferrer'}, 'DB-IP')) : null,
      noisy(t) ? el('span', {class: 'credit'}, 'Estimates with noise') : null);
    return fill(c, t, panel, spec);
  };
  const head = el('div', {class: 'card-head'}, el('h2', {id: `${spec.id}-title`}, spec.title), tabbed ? tabs(spec.title,
    spec.of.map((x, i) => ({id: `${spec.id}-tab-${i}`, text: x.text, panel: id})), chosen, i => {
      change({[spec.id]: i ? spec.of[i].table.id : null}, {quiet: true, replace: true});
      open(i);
    }) : null);
  const element = el('section', {class: 'card' + (spec.map || spec.broad ? ' broad' : ''), id: spec.id, 'aria-labelledby': `${spec.id}-title`}, head, panel, foot);
  return {element, ready: open(chosen)};
}
