// Countries by colour. The list beside it has the same figures, so a screen reader passes it by.
import {ask} from './api.js';
import {el, svg} from './dom.js';
import {figure, measure, valueText} from './words.js';

let world;

export async function loadWorld() {
  try {
    world ??= await (await ask('vendor/world.json')).json();
    return world;
  } catch {
    return null;
  }
}

// rows: [{country, people}], open(code): what a click does, or null.
export function mapOf(rows, oneDay, name, valueOf, open) {
  const of = new Map(rows.map(r => [r.country, valueOf(r, name)]));
  const most = Math.max(1, ...of.values());
  const box = el('div', {class: 'map', 'aria-hidden': 'true'});
  const tip = el('div', {class: 'tip', hidden: true});
  const shapes = world.shapes.map(([code, d]) => {
    const v = of.get(code) ?? null;
    const p = svg('path', {d, 'data-code': code, class: v === null ? 'land' : open ? 'has opens' : 'has'});
    if (v !== null) p.style.setProperty('--v', Math.sqrt(v / most).toFixed(3));
    return p;
  });
  const picture = svg('svg', {viewBox: `0 0 ${world.width} ${world.height}`, preserveAspectRatio: 'xMidYMid meet'}, ...shapes);
  picture.addEventListener('pointermove', event => {
    const code = event.target.dataset?.code;
    tip.hidden = !code;
    if (!code) return;
    const v = of.get(code) ?? null, at = box.getBoundingClientRect(), x = event.clientX - at.left;
    tip.replaceChildren(el('strong', {}, valueText('country', code)),
      el('span', {}, v === null ? 'no row, which is not zero' : `at least ${figure(name, v)} ${measure(name, oneDay).toLowerCase()}`));
    tip.style.transform = `translate(${x > at.width / 2 ? x - tip.offsetWidth - 14 : x + 14}px, ${event.clientY - at.top + 14}px)`;
  });
  picture.addEventListener('pointerleave', () => { tip.hidden = true; });
  if (open) picture.addEventListener('click', event => { if (of.has(event.target.dataset?.code)) open(event.target.dataset.code); });
  box.append(picture, tip, el('p', {class: 'legend'}, el('span', {class: 'ramp'}), 'fewer to more', el('span', {class: 'swatch'}), 'no row, which is not zero'));
  return box;
}
