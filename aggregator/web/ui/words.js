// How dimensions, measures and values are called on the page.
export const OTHER = 'other';  // as rows of CSV have it: those who are in no row, and what no list names
export const ATTRIBUTION = 'https://db-ip.com';

const DIMENSIONS = {
  route: ['Page', 'Pages'], entry: ['Entry page', 'Entry pages'], exit: ['Exit page', 'Exit pages'], referrer: ['Referrer', 'Referrers'],
  channel: ['Channel', 'Channels'], source: ['Campaign source', 'Campaign sources'], medium: ['Campaign medium', 'Media'],
  campaign: ['Campaign', 'Campaigns'], term: ['Search term', 'Search terms'], country: ['Country', 'Countries'], region: ['Region', 'Regions'],
  language: ['Language', 'Languages'], browser: ['Browser', 'Browsers'], browser_version: ['Browser version', 'Versions'],
  system: ['System', 'Systems'], system_version: ['System version', 'System versions'], device: ['Device', 'Devices'],
  screen: ['Screen width', 'Screens'], event: ['Event', 'Events'], hour: ['Hour', 'Hours'], age: ['Age', 'Ages'], job: ['Job family', 'Job families'],
  link: ['Link', 'Links'], exit_link: ['Outgoing link', 'Outgoing links'], app_version: ['App version', 'App versions'],
};
const capital = text => text.charAt(0).toUpperCase() + text.slice(1);
export const one = dim => DIMENSIONS[dim]?.[0] ?? capital(dim.replaceAll('_', ' '));
export const many = dim => DIMENSIONS[dim]?.[1] ?? capital(dim.replaceAll('_', ' '));

const MEASURES = {
  people: 'Visitors', visitor_days: 'Visitor days', events: 'Events', sessions: 'Sessions', bounces: 'Bounces', time_s: 'Time',
  number1_sum: 'First sum', number2_sum: 'Second sum',
};
export const measure = (name, oneDay) => MEASURES[name === 'people' && !oneDay ? 'visitor_days' : name] ?? capital(name);

// A row's column of a measure: people of several days are visitor days.
export const valueOf = (row, name) => (name === 'people' ? row.people ?? row.visitor_days ?? null : row[name] ?? null);

function named(type, code) {
  try {
    return new Intl.DisplayNames('en', {type, fallback: 'none'}).of(code) ?? code;
  } catch {
    return code;
  }
}

const PLAIN = new Set(['channel', 'device', 'connection', 'age', 'job']);
export function valueText(dim, value) {
  if (value === OTHER) return 'Other';
  if (dim === 'country' && /^[A-Z]{2}$/.test(value)) return named('region', value);
  if (dim === 'language' && /^[a-z]{2}$/.test(value)) return named('language', value);
  if (dim === 'screen' && /\d/.test(value)) return value + ' px';
  if (dim === 'channel' && value === 'ai') return 'AI assistants';
  return PLAIN.has(dim) ? capital(value) : value;
}

export const number = n => n.toLocaleString('en');
export function short(n) {
  return n < 10000 ? number(n) : new Intl.NumberFormat('en', {notation: 'compact', maximumFractionDigits: 1}).format(n);
}

export function figure(name, n) {
  if (n === null || n === undefined) return '–';
  if (name !== 'time_s') return number(n);
  const h = Math.floor(n / 3600), m = Math.round(n % 3600 / 60);
  if (h >= 100) return `${number(Math.floor(n / 3600))} h`;
  return h ? `${h} h ${m} min` : `${m} min`;
}

export function plural(n, word) {
  return `${number(n)} ${word}${n === 1 ? '' : 's'}`;
}
