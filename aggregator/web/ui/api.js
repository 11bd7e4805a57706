// Everything is asked of this dashboard's own server. A key, where one is asked for, stays in this tab.
const KEY = 'winnow-key';
let memory = '';  // where storage is off

export function key() {
  try { return sessionStorage.getItem(KEY) ?? memory; } catch { return memory; }
}

export function keepKey(text) {
  memory = text;
  try { text ? sessionStorage.setItem(KEY, text) : sessionStorage.removeItem(KEY); } catch { /* memory has it */ }
}

export class Problem extends Error {
  constructor(status, title, detail, kind) {
    super(detail ? `${title}. ${detail}.` : `${title}.`);
    Object.assign(this, {status, title, detail, kind});
  }
}

async function problemOf(answer) {
  try {
    const p = await answer.json();
    return new Problem(answer.status, p.title, p.detail, p.type);
  } catch {
    return new Problem(answer.status, `The server answers ${answer.status}`, 'Try again in a moment');
  }
}

export async function ask(path, signal) {
  const headers = key() ? {Authorization: `Bearer ${key()}`} : {};
  let answer;
  try {
    answer = await fetch(path, {headers, signal});
  } catch (failure) {
    if (failure.name === 'AbortError') throw failure;
    throw new Problem(0, 'The server cannot be reached', 'Is `winnow up` running?');
  }
  if (!answer.ok) throw await problemOf(answer);
  return answer;
}

export const sites = async signal => (await ask('/api/v1/sites', signal)).json();
export const tables = async (site, signal) => (await ask('/api/v1/tables?' + new URLSearchParams({site}), signal)).json();

export function reportPath(site, table, {from, to}, more) {
  return '/api/v1/report?' + new URLSearchParams({site, table, from, to, ...more});
}

export async function report(site, table, days, more, signal) {
  return (await ask(reportPath(site, table, days, more), signal)).json();
}

// Rows alone, a quarter of the bytes of JSON: [{column: text}], figures as numbers or null.
export async function rows(site, table, days, more, signal) {
  const text = await (await ask(reportPath(site, table.id, days, {format: 'csv', ...more}), signal)).text();
  const [head, ...lines] = csv(text);
  if (!head) return [];
  const labels = new Set(['day', ...table.dimensions]);
  return lines.map(line => Object.fromEntries(head.map((name, i) =>
    [name, labels.has(name) ? label(line[i]) : line[i] === '' ? null : Number(line[i])])));
}

// A ' stands before what a spreadsheet would take for a formula, and before a '.
const label = text => text.startsWith("'") ? text.slice(1) : text;

// RFC 4180.
export function csv(text) {
  const lines = [];
  let line = [];
  const cell = /("(?:[^"]|"")*"|[^,\r\n]*)(,|\r\n|\n|$)/y;
  while (cell.lastIndex < text.length) {
    const [, value, end] = cell.exec(text);
    line.push(value.startsWith('"') ? value.slice(1, -1).replaceAll('""', '"') : value);
    if (end === ',') continue;
    lines.push(line);
    line = [];
  }
  return lines;
}

// A link cannot carry the key, so with one the file is fetched and handed on.
export async function download(event) {
  const link = event.currentTarget;
  if (!key()) return;
  event.preventDefault();
  const answer = await ask(link.getAttribute('href'));
  const name = /filename="([^"]+)"/.exec(answer.headers.get('Content-Disposition') ?? '')?.[1] ?? 'winnow.csv';
  const url = URL.createObjectURL(await answer.blob());
  const a = Object.assign(document.createElement('a'), {href: url, download: name});
  a.click();
  URL.revokeObjectURL(url);
}
