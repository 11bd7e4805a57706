// Elements from values. Texts are only ever text: what pages and campaigns are called is written by strangers.

export function el(tag, props, ...children) {
  const e = document.createElement(tag);
  for (const [name, value] of Object.entries(props ?? {})) {
    if (value === undefined || value === null || value === false) continue;
    if (name.startsWith('on')) e.addEventListener(name.slice(2), value);
    else if (name in e && typeof value !== 'string') e[name] = value;
    else e.setAttribute(name, value === true ? '' : value);
  }
  return put(e, ...children);
}

// In place of what an element held.
export function put(e, ...children) {
  e.replaceChildren(...children.flat().filter(c => c !== undefined && c !== null && c !== false));
  return e;
}

export function svg(tag, props, ...children) {
  const e = document.createElementNS('http://www.w3.org/2000/svg', tag);
  for (const [name, value] of Object.entries(props)) e.setAttribute(name, value);
  e.append(...children);
  return e;
}

export const byId = id => document.getElementById(id);

export function say(text) {
  byId('status').textContent = text;
}

const dialog = () => byId('dialog');

// A dialog with a heading; the browser keeps the focus in it and gives it back.
export function openDialog(title, body, onClose) {
  const d = dialog();
  d.replaceChildren(
    el('div', {class: 'dialog-head'}, el('h2', {id: 'dialog-title'}, title),
      el('button', {type: 'button', class: 'icon', 'aria-label': 'Close', onclick: () => d.close()}, '✕')),
    body);
  d.onclose = onClose ?? null;
  d.onclick = event => { if (event.target === d) d.close(); };
  if (!d.open) d.showModal();
}

export function closeDialog() {
  const d = dialog();
  d.onclose = null;
  if (d.open) d.close();
}

// Tabs of a card: arrows go round, Home and End to the ends; only the chosen one is a stop.
export function tabs(label, names, chosen, choose) {
  const list = el('div', {role: 'tablist', 'aria-label': label, class: 'tabs'});
  const show = (at, focus) => {
    [...list.children].forEach((b, i) => {
      b.setAttribute('aria-selected', String(i === at));
      b.tabIndex = i === at ? 0 : -1;
    });
    if (focus) list.children[at].focus();
  };
  names.forEach(({id, text, panel}, i) => list.append(el('button', {
    type: 'button', role: 'tab', id, 'aria-controls': panel,
    onclick: () => { show(i, false); choose(i); },
    onkeydown: event => {
      const n = names.length;
      const to = {ArrowRight: (i + 1) % n, ArrowLeft: (i + n - 1) % n, Home: 0, End: n - 1}[event.key];
      if (to === undefined) return;
      event.preventDefault();
      show(to, true);
      choose(to);
    },
  }, text)));
  show(chosen, false);
  return list;
}
