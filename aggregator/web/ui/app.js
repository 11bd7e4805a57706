// Reads what the address asks for and shows it; asks for a key where one is needed.
import * as api from './api.js';
import {card, closeDrill, drill, further, plan} from './card.js';
import {byId, el, put, say} from './dom.js';
import {clock, dayLong, days, dayText, rangeText} from './dates.js';
import {liveText, read, show} from './overview.js';
import {change, DAYS_MAX, onState, PERIODS, range, state} from './state.js';
import {number} from './words.js';

let sites = [], tick = 300, running = null, again = null, clockTimer = null;

// ---- pickers ----

// Left as they are when they are the same: somebody may just be choosing.
function options(select, list, chosen) {
  const same = select.options.length === list.length && list.every(([id], i) => select.options[i].value === id);
  if (!same) put(select, list.map(([id, text]) => el('option', {value: id}, text)));
  select.value = chosen;
}

function fillPickers(site, shown) {
  byId('pickers').classList.remove('waiting');
  options(byId('site'), sites.map(s => [s.name, s.name]), site.name);
  options(byId('period'), PERIODS, state.period);
  byId('compare').checked = state.compare === 'yes';
  byId('custom').hidden = state.period !== 'custom';
  for (const [id, value] of [['from', shown.from], ['to', shown.to]]) Object.assign(byId(id), {value, max: site.today});
  byId('forget').hidden = !api.key();
  const text = rangeText(shown.from, shown.to);
  byId('title').textContent = `${site.name}, ${text}`;
  document.title = `${site.name} · Winnow`;
}

function listenPickers() {
  byId('pickers').addEventListener('submit', event => event.preventDefault());
  byId('site').addEventListener('change', event => change({site: event.target.value, in: null}));
  byId('period').addEventListener('change', event => {
    const period = event.target.value, site = siteShown();
    change(period === 'custom' ? {period, ...range(site.today)} : {period, from: null, to: null});
    if (period === 'custom') byId('from').focus();
  });
  byId('compare').addEventListener('change', event => change({compare: event.target.checked ? 'yes' : 'no'}));
  for (const id of ['from', 'to']) byId(id).addEventListener('change', () => {
    let [from, to] = [byId('from').value, byId('to').value];
    if (!from || !to) return;
    if (from > to) [from, to] = id === 'from' ? [from, from] : [to, to];
    if (days(to) - days(from) >= DAYS_MAX) [from, to] = id === 'from' ? [from, dayText(days(from) + DAYS_MAX - 1)] : [dayText(days(to) - DAYS_MAX + 1), to];
    change({period: 'custom', from, to});
  });
  byId('forget').addEventListener('click', () => { api.keepKey(''); start(); });
}

// ---- theme ----

function theme() {
  const button = byId('theme'), root = document.documentElement, system = matchMedia('(prefers-color-scheme: dark)');
  const dark = () => (root.dataset.theme ? root.dataset.theme === 'dark' : system.matches);
  const label = () => {
    button.textContent = dark() ? '☀' : '☾';
    button.setAttribute('aria-label', dark() ? 'Light theme' : 'Dark theme');
  };
  button.addEventListener('click', () => {
    root.dataset.theme = dark() ? 'light' : 'dark';
    try { localStorage.setItem('winnow-theme', root.dataset.theme); } catch { /* holds for this page then */ }
    label();
    again?.();
  });
  system.addEventListener('change', () => { label(); again?.(); });
  label();
}

// ---- what stands in place of figures ----

function message(...children) {
  byId('pickers').classList.toggle('waiting', children.length > 0 && !sites.length);
  byId('message').replaceChildren(...children);
  byId('figures').hidden = children.length > 0;
}

function askForKey(problem) {
  const form = el('form', {class: 'card ask', onsubmit: event => {
    event.preventDefault();
    api.keepKey(new FormData(form).get('key').trim());
    start();
  }}, el('h2', {}, 'A key is needed'),
  el('p', {}, api.key() ? problem.message : 'These figures are for readers with a key. It is kept in this tab and forgotten when the tab closes.'),
  el('label', {}, el('span', {}, 'Key'), el('input', {name: 'key', type: 'password', autocomplete: 'off', required: true, spellcheck: 'false'})),
  el('button', {class: 'strong'}, 'Open'),
  el('p', {class: 'muted'}, 'Whoever runs Winnow makes one with ', el('code', {}, 'winnow keys api NAME'), '.'));
  message(form);
  form.querySelector('input').focus();
  say('A key is needed');
}

function showFailure(failure) {
  if (failure.status === 401) return askForKey(failure);
  message(el('div', {class: 'card ask', role: 'alert'}, el('h2', {}, failure.title ?? 'Something went wrong'),
    el('p', {}, failure.detail ?? failure.message), el('button', {type: 'button', class: 'strong', onclick: start}, 'Try again')));
  say(failure.message);
}

function snippet(site) {
  const here = ['127.0.0.1', 'localhost', '[::1]'].includes(location.hostname);
  return `<script defer src="${here ? 'http://127.0.0.1:8090' : location.origin}/w.js" data-site="${site.name}"></script>`;
}

function copyable(text) {
  const button = el('button', {type: 'button', class: 'plain', onclick: async () => {
    try {
      await navigator.clipboard.writeText(text);
      button.textContent = 'Copied';
    } catch {
      getSelection().selectAllChildren(code);
    }
  }}, 'Copy');
  const code = el('code', {}, text);
  return el('div', {class: 'snippet'}, el('pre', {tabindex: '0', 'aria-label': 'Line to paste'}, code), button);
}

// A day or a page appears with a crowd: say when, and what is known until then.
async function showEmpty(c, o) {
  const ever = await api.rows(c.site.name, o.table, {from: dayText(days(c.site.today) - DAYS_MAX + 1), to: c.site.today}, {by: 'day'}, c.signal);
  const last = ever.at(-1)?.day;
  if (last) {
    return message(el('div', {class: 'card ask'}, el('h2', {}, 'Nothing is published in this period'),
      el('p', {}, 'That is not zero: a day appears when it hides everybody in it.'),
      el('button', {type: 'button', class: 'strong', onclick: () => change({period: 'custom', from: dayText(days(last) - 29), to: last})}, `Show the 30 days to ${dayLong(last)}`)));
  }
  const k = steps(c), pages = c.tables.find(t => t.dimensions[0] === 'route' && t.profile === 'crowd')?.k ?? k.at(-1);
  message(el('div', {class: 'card ask', id: 'empty'}, el('h2', {}, `${c.site.name} is waiting for its first crowd`),
    el('p', {class: 'live'}, el('span', {class: 'dot', 'aria-hidden': 'true'}), el('span', {},
      `No row is published yet. This page looks again by itself, every ${minutes(tick)}.`)),
    el('p', {}, `Rows appear at ${number(pages)} visitors (${number(k[0])} where the values are a closed list), from enough networks that nobody stands out. Until then nobody sees anything, and neither do you.`),
    el('h3', {}, 'Paste this into your pages'), copyable(snippet(c.site)),
    el('p', {class: 'muted'}, 'The address is your collector’s: put its public name there. ', el('code', {}, 'winnow status'), ' says when the last batch came, whether events are accepted, and why any were refused.'),
    el('h3', {}, 'Or begin with a log you have'), copyable(`winnow import --site ${c.site.name} --format combined access.log`)));
}

// ---- reading and showing ----

const untilTick = () => tick - Math.floor(Date.now() / 1000) % tick;
const minutes = s => (s < 60 ? 'less than a minute' : `${Math.ceil(s / 60)} min`);
const siteShown = () => sites.find(s => s.name === state.site) ?? sites[0];

// Tables of two dimensions lead from a value of the one to the other, where a table of the one is shown.
function drills(tables) {
  const single = new Set(tables.filter(t => t.dimensions.length === 1).map(t => t.dimensions[0]));
  const of = t => t.dimensions.length === 2 && t.profile === 'crowd' && t.dimensions.some(d => single.has(d));
  return {
    drills: of,
    drillsOf: dim => tables.filter(t => of(t) && t.dimensions.includes(dim)).map(table => ({table, other: table.dimensions.find(d => d !== dim)})),
  };
}

const steps = c => [...new Set(c.tables.filter(t => t.profile === 'crowd').map(t => t.k))].sort((a, b) => a - b);

function notes(c) {
  const noise = c.tables.some(t => t.profile === 'noise');
  put(byId('notes'),
    el('p', {}, el('strong', {}, '“At least” is meant. '), `People are counted in steps of k (${steps(c).join(', ')}, by table), never rounded up. `,
      'Rows too small to hide everybody in them are not shown; a missing row is not zero. Visitor days add up each day’s visitors: nobody is recognised from one day to the next.'),
    noise ? el('p', {}, 'Figures with ± are estimates: noise was added on purpose, and stays within the band in 95 of 100 draws.') : null,
    el('p', {class: 'links'}, el('a', {href: 'api/v1/openapi.json'}, 'API'), el('a', {href: '.well-known/winnow.json'}, 'Where aggregates go'),
      el('a', {href: 'vendor/uplot-licence.txt'}, 'Chart: uPlot'), el('span', {}, 'Map: Natural Earth'),
      el('span', {}, `Days of ${c.site.zone}. No cookies, nothing asked of others.`)));
}

function clockTick(c, o) {
  clearInterval(clockTimer);
  const live = o && (o.report.windows.some(w => !w.sealed) || !o.report.windows.length);
  if (!live || c.days.to < c.site.today) return;
  let before = untilTick();
  clockTimer = setInterval(() => {
    const now = untilTick(), stepped = now > before;
    before = now;
    const text = byId('live') && liveText(o, c.site, now);
    if (text && !stepped) byId('live').replaceChildren(...text);
    // A moment after the step, and not for a tab that nobody looks at.
    if (stepped) setTimeout(() => { if (!document.hidden && !byId('dialog').open) start({calm: true}); }, 2000);
  }, 5000);
}

async function showCards(c) {
  const {cards: specs, left} = plan(c), cards = specs.map(spec => card(c, spec));
  await Promise.all(cards.map(x => x.ready));
  byId('cards').replaceChildren(...cards.map(x => x.element));
  watchFurther(c, left);
}

// What stands at the very end is read when somebody comes there.
let watch = null;
function watchFurther(c, left) {
  watch?.disconnect();
  const place = byId('further');
  place.toggleAttribute('data-waits', left.length > 0);
  if (!left.length) return place.replaceChildren();
  watch = new IntersectionObserver(async entries => {
    if (!entries.some(e => e.isIntersecting)) return;
    watch.disconnect();
    const more = await further(c, left).catch(() => null);
    await more?.ready;
    if (c.signal.aborted) return;
    put(place, more?.element);
    place.removeAttribute('data-waits');
  }, {rootMargin: '200px'});
  watch.observe(place);
}

// Figures that are shown once more take the focus with them: gives what puts it back.
function focusKeeper() {
  const e = document.activeElement, home = e?.closest('#figures section[id]')?.id;
  if (!home) return () => {};
  const all = () => [...byId(home)?.querySelectorAll('a, button, summary, [tabindex]') ?? []];
  const at = all().indexOf(e), id = e.id;
  return () => { if (!e.isConnected) (id && byId(id) || all()[at])?.focus({preventScroll: true}); };
}

// `calm`: the same once more, in place, as after a step of live rows.
async function start({calm = false} = {}) {
  running?.abort();
  running = new AbortController();
  const {signal} = running;
  if (!calm) say('Reading…');
  byId('figures').setAttribute('aria-busy', 'true');
  try {
    ({sites, tick_s: tick = 300} = await api.sites(signal));
    if (!sites.length) return message(el('div', {class: 'card ask'}, el('h2', {}, 'There is no site yet'), el('p', {}, 'Add one; this page then finds it.'), copyable('winnow site add NAME --host www.example.com')));
    const site = siteShown(), shown = range(site.today);
    fillPickers(site, shown);
    const {tables} = await api.tables(site.name, signal);
    const c = {site, tables, days: shown, oneDay: shown.from === shown.to, signal, ...drills(tables)};
    c.open = (dim, value) => { change({in: `${dim}:${value}`}, {quiet: true}); drill(c, dim, value); };
    notes(c);
    const whole = tables.find(t => t.id === 'traffic' && !t.dimensions.length) ?? tables.find(t => !t.dimensions.length && t.profile === 'crowd');
    const o = whole ? await read(site, whole, shown, tables.find(t => t.dimensions.length === 1 && t.dimensions[0] === 'hour'), signal) : null;
    clockTick(c, o);
    if (o && !o.report.rows.length) { await showEmpty(c, o); return say('Nothing is published yet'); }
    message();
    byId('overview').hidden = !o;
    again = o ? () => show(o, site, untilTick()) : null;
    const giveBack = focusKeeper();
    await Promise.all([o ? show(o, site, untilTick()) : null, showCards(c)]);
    giveBack();
    const [dim, ...value] = (state.in ?? '').split(':');
    if (value.length) drill(c, dim, value.join(':'));
    else if (!calm) closeDrill();
    say(`${site.name}, ${rangeText(shown.from, shown.to)}: shown`);
  } catch (failure) {
    if (failure.name !== 'AbortError') showFailure(failure);
  } finally {
    if (!signal.aborted) byId('figures').setAttribute('aria-busy', 'false');
  }
}

document.addEventListener('visibilitychange', () => { if (!document.hidden && clockTimer) start({calm: true}); });
theme();
listenPickers();
onState(() => start());
start();
