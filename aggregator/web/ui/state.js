// What is shown is what the address says, so that an address can be sent to somebody.
import {days, dayText, isDay} from './dates.js';

export const PERIODS = [
  ['today', 'Today'], ['yesterday', 'Yesterday'], ['7d', 'Last 7 days'], ['30d', 'Last 30 days'], ['month', 'This month'],
  ['last-month', 'Last month'], ['custom', 'Choose days…'],
];
export const DAYS_MAX = 366;  // at once: the API takes more, a line of them shows nothing
const DEFAULTS = {period: '30d', compare: 'yes', measure: 'people'};

const read = () => Object.fromEntries(new URLSearchParams(location.search));
export let state = {...DEFAULTS, ...read()};

const listeners = [];
export function onState(f) {
  listeners.push(f);
}

// Writes changes to the address and tells of them. `quiet`: something within a card, nothing else is read again.
export function change(changes, {quiet = false, replace = false} = {}) {
  state = {...state, ...changes};
  const kept = Object.entries(state).filter(([k, v]) => v !== undefined && v !== null && v !== '' && v !== DEFAULTS[k]);
  const query = new URLSearchParams(kept).toString();
  history[replace ? 'replaceState' : 'pushState'](null, '', query ? '?' + query : location.pathname);
  if (!quiet) listeners.forEach(f => f());
}

addEventListener('popstate', () => {
  state = {...DEFAULTS, ...read()};
  listeners.forEach(f => f());
});

// The days shown, by the site's own today.
export function range(today) {
  const t = days(today), month = today.slice(0, 8) + '01';
  const last = dayText(days(month) - 1);
  const of = {
    today: [today, today], yesterday: [dayText(t - 1), dayText(t - 1)], '7d': [dayText(t - 6), today],
    month: [month, today], 'last-month': [last.slice(0, 8) + '01', last],
  }[state.period];
  if (of) return {from: of[0], to: of[1]};
  const {from, to} = state;
  if (state.period === 'custom' && isDay(from) && isDay(to) && from <= to)
    return {from: dayText(Math.max(days(from), days(to) - DAYS_MAX + 1)), to};
  return {from: dayText(t - 29), to: today};
}

// As many days, just before.
export function before({from, to}) {
  const n = days(to) - days(from) + 1;
  return {from: dayText(days(from) - n), to: dayText(days(from) - 1)};
}
