// Days are texts, 2026-11-20, as the API has them; they are counted in UTC, which has no days of 23 hours.
const DAY_MS = 86400000;

export const days = text => Math.round(Date.parse(text + 'T00:00:00Z') / DAY_MS);
export const dayText = n => new Date(n * DAY_MS).toISOString().slice(0, 10);
export const isDay = text => /^\d{4}-\d\d-\d\d$/.test(text ?? '') && !Number.isNaN(Date.parse(text)) && dayText(days(text)) === text;

const format = (options, text) => new Intl.DateTimeFormat('en-GB', {timeZone: 'UTC', ...options}).format(new Date(text + 'T00:00:00Z'));
export const dayShort = text => format({day: 'numeric', month: 'short'}, text);
export const dayLong = text => format({weekday: 'short', day: 'numeric', month: 'long', year: 'numeric'}, text);

export function rangeText(from, to) {
  if (from === to) return dayLong(from);
  const year = from.slice(0, 4) === to.slice(0, 4) ? {} : {year: 'numeric'};
  return `${format({day: 'numeric', month: 'short', ...year}, from)} – ${format({day: 'numeric', month: 'short', year: 'numeric'}, to)}`;
}

export function clock(iso, zone) {
  return new Intl.DateTimeFormat('en-GB', {timeZone: zone, hour: '2-digit', minute: '2-digit'}).format(new Date(iso));
}

// Each day of [from, to].
export function each(from, to) {
  return Array.from({length: days(to) - days(from) + 1}, (_, i) => dayText(days(from) + i));
}
