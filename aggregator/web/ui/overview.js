// The first card: what the whole site published, its line, and how far it is final.
import * as api from './api.js';
import {loadChart} from './chart.js';
import {clock, dayLong, dayShort, each, rangeText} from './dates.js';
import {byId, el} from './dom.js';
import {before, change, state} from './state.js';
import {figure, measure, number, OTHER, plural, short, valueOf} from './words.js';

let takeAway = null;

// Everything it shows, read at once. {table, days, report, was, hours}
export async function read(site, table, days, hoursTable, signal) {
  const one = days.from === days.to;
  const [report, was, hours] = await Promise.all([
    api.report(site.name, table.id, days, {by: 'day'}, signal),
    state.compare === 'yes' ? api.rows(site.name, table, before(days), {by: 'day'}, signal) : [],
    one && hoursTable ? api.rows(site.name, hoursTable, days, {}, signal) : null,
  ]);
  return {table, days, report, was, hours};
}

const byDay = rows => new Map(rows.map(r => [r.day, r]));
const at = (map, day, name) => (map.has(day) ? valueOf(map.get(day), name) : null);

export function total(rows, name) {
  const known = rows.map(r => valueOf(r, name)).filter(v => v !== null);
  return known.length ? known.reduce((a, b) => a + b, 0) : null;
}

// Days against days: a day that is still open or that one of both sides did not publish is left out on both.
export function compared(o, name) {
  const now = byDay(o.report.rows), was = byDay(o.was);
  const sealed = new Set(o.report.windows.filter(w => w.sealed).map(w => w.day));
  const then = each(before(o.days).from, before(o.days).to);
  let a = 0, b = 0, n = 0;
  each(o.days.from, o.days.to).forEach((day, i) => {
    const [x, y] = [at(now, day, name), at(was, then[i], name)];
    if (!sealed.has(day) || x === null || y === null) return;
    a += x; b += y; n++;
  });
  return n && b ? {percent: Math.round((a - b) / b * 100), n, of: then.length} : null;
}

function change_(o, name) {
  if (state.compare !== 'yes') return null;
  const c = compared(o, name);
  if (!c) return el('span', {class: 'delta'}, o.report.windows.length === 1 && !o.report.windows[0].sealed ? 'the day is not over' : 'nothing to compare');
  const word = c.percent > 0 ? 'up' : c.percent < 0 ? 'down' : 'same';
  const days = c.of === 1 ? 'the day before' : c.n === c.of ? `the ${c.of} days before` : `${c.n} of ${c.of} days`;
  // More bounces are no good news, and no bad ones either.
  return el('span', {class: 'delta ' + (name === 'bounces' ? 'same' : word), title: 'Sealed days that both periods published, against each other'},
    el('span', {'aria-hidden': 'true'}, {up: '↑ ', down: '↓ ', same: '= '}[word]),
    el('span', {class: 'unseen'}, word + ' '), `${Math.abs(c.percent)}%`, el('span', {class: 'against'}, ` on ${days}`));
}

function tiles(o, redraw) {
  const one = o.days.from === o.days.to;
  const noise = o.report.at_least === false, open = o.report.windows.some(w => !w.sealed);
  return el('div', {class: 'tiles', role: 'group', 'aria-label': 'Figures of the period; choose one to draw it'}, o.table.measures.map(name => {
    const sum = total(o.report.rows, name);
    return el('button', {type: 'button', class: 'tile', 'data-measure': name, 'aria-pressed': String(state.measure === name),
      onclick: () => { change({measure: name}, {quiet: true, replace: true}); redraw(); }},
      el('span', {class: 'tile-name'}, measure(name, one)),
      sum === null ? null : el('span', {class: 'floor'}, noise ? 'about' : 'at least'),
      el('span', {class: 'big', 'data-value': sum ?? ''}, sum === null ? (open && !['people', 'events'].includes(name) ? 'at the seal' : '–') : figure(name, sum)),
      sum === null ? null : change_(o, name));
  }));
}

// What the chart and the table below it show, per point.
function points(o, name) {
  if (o.hours) {
    const of = new Map(o.hours.map(r => [r.hour, valueOf(r, name)]));
    const labels = Array.from({length: 24}, (_, h) => String(h).padStart(2, '0') + ':00');
    if (of.has('24:00')) labels.push('24:00');
    return labels.map(label => ({label, long: label, value: of.get(label) ?? null}));
  }
  const now = byDay(o.report.rows), was = byDay(o.was), open = new Set(o.report.windows.filter(w => !w.sealed).map(w => w.day));
  const then = state.compare === 'yes' ? each(before(o.days).from, before(o.days).to) : [];
  return each(o.days.from, o.days.to).map((day, i) => ({
    label: dayShort(day), long: dayLong(day), value: at(now, day, name), open: open.has(day),
    then: then[i], was: then[i] ? at(was, then[i], name) : null,
  }));
}

function tipOf(p, name) {
  const say = v => (v === null ? 'nothing published' : `at least ${figure(name, v)}`);
  return [el('strong', {}, p.long + (p.open ? ', still open' : '')), el('span', {}, say(p.value)),
    p.then ? el('span', {class: 'muted'}, `${dayLong(p.then)}: ${say(p.was)}`) : null].filter(Boolean);
}

function asTable(o, list, name) {
  const rest = o.hours?.find(r => r.hour === OTHER);
  const one = o.hours !== null, title = measure(name, true), compare = !one && state.compare === 'yes';
  return el('table', {class: 'plain-table', id: 'chart-table'},
    el('caption', {class: 'unseen'}, `${title} by ${one ? 'hour' : 'day'}, at least`),
    el('thead', {}, el('tr', {}, el('th', {scope: 'col'}, one ? 'Hour' : 'Day'), el('th', {scope: 'col', class: 'num'}, `${title}, at least`),
      compare ? el('th', {scope: 'col', class: 'num'}, 'Period before') : null)),
    el('tbody', {}, list.map(p => el('tr', {}, el('th', {scope: 'row'}, p.long + (p.open ? ' (open)' : '')),
      el('td', {class: 'num'}, figure(name, p.value)), compare ? el('td', {class: 'num'}, figure(name, p.was)) : null)),
      rest ? el('tr', {}, el('th', {scope: 'row'}, 'Other hours'), el('td', {class: 'num'}, figure(name, valueOf(rest, name)))) : null));
}

async function chart(o, host, details, name) {
  const list = points(o, name), drawIt = await loadChart();
  if (takeAway) takeAway();
  takeAway = null;
  details.querySelector('.scroll').replaceChildren(asTable(o, list, name));
  if (!host.isConnected) return;
  if (!drawIt) {
    host.replaceChildren(el('p', {class: 'muted'}, 'This build has no chart: ./setup fetches it before Winnow is built. The figures stand below.'));
    details.open = true;
    return;
  }
  if (list.every(p => p.value === null)) {
    host.replaceChildren(el('p', {class: 'muted middle'}, !['people', 'events'].includes(name) ? 'This is published when a day is sealed.'
      : o.hours ? 'No hour of this day has enough people to be shown.' : 'Nothing of this is published in this period.'));
    return;
  }
  host.replaceChildren();
  host.setAttribute('aria-label', `${measure(name, true)} by ${o.hours ? 'hour' : 'day'}, ${rangeText(o.days.from, o.days.to)}. The table below has the same figures.`);
  const open = list.map(p => Boolean(p.open));
  takeAway = drawIt(host, {
    values: list.map((p, i) => (open[i] ? null : p.value)),
    live: list.map((p, i) => (open[i] || open[i + 1] ? p.value : null)),
    before: list.map(p => p.was ?? null),
    labels: list.map(p => p.label), bars: Boolean(o.hours), number: v => (name === 'time_s' ? figure(name, v) : short(v)), tip: i => tipOf(list[i], name),
  });
}

// How final the figures are. `next`: seconds to the next step of live rows, null when nothing shown is live.
export function liveText(o, site, next) {
  const w = o.report.windows, open = w.filter(x => !x.sealed);
  const last = open.at(-1);
  if (!w.length) return null;
  if (!last) return [el('span', {class: 'seal', 'aria-hidden': 'true'}), el('span', {}, `Sealed: ${w.length === 1 ? 'this day is' : `all ${w.length} published days are`} final.`)];
  const wait = next < 60 ? 'in less than a minute' : `in ${Math.ceil(next / 60)} min`;
  return [el('span', {class: 'dot', 'aria-hidden': 'true'}), el('span', {},
    el('strong', {}, 'Live'), `: steps of ${number(o.report.k)}, ${last.published_at ? `as published at ${clock(last.published_at, site.zone)}, ` : ''}next step ${wait}. `,
    open.length === w.length && w.length === 1 ? 'Sessions come when the day is sealed.' : `${plural(w.length - open.length, 'day')} sealed, ${number(open.length)} open.`)];
}

export function show(o, site, next) {
  const section = byId('overview');
  const host = el('div', {class: 'chart', role: 'img', id: 'chart'});
  const details = el('details', {class: 'as-table', open: section.querySelector('.as-table')?.open ?? false}, el('summary', {}, 'Show as a table'), el('div', {class: 'scroll', tabindex: '0', role: 'region', 'aria-label': 'The chart as a table'}));
  if (!o.table.measures.includes(state.measure)) change({measure: 'people'}, {quiet: true, replace: true});
  const redraw = () => {
    for (const t of section.querySelectorAll('.tile')) t.setAttribute('aria-pressed', String(t.dataset.measure === state.measure));
    return chart(o, host, details, state.measure);
  };
  const csv = el('a', {class: 'quiet', href: api.reportPath(site.name, o.table.id, o.days, {by: 'day', format: 'csv'}), download: true, onclick: api.download}, 'CSV');
  section.replaceChildren(
    el('h2', {class: 'unseen', id: 'overview-title'}, `${o.hours ? 'The day' : 'Day by day'}: ${rangeText(o.days.from, o.days.to)}`),
    tiles(o, redraw), host,
    el('div', {class: 'under'}, el('p', {class: 'live', id: 'live'}, liveText(o, site, next) ?? []),
      o.was.length && !o.hours ? el('span', {class: 'key'}, 'period before') : null, csv), details);
  return redraw();
}
