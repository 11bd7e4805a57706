// One line over days, or bars over hours. uPlot draws it, where the build had it; else loadChart answers null.
import {el} from './dom.js';

let uPlot;
const HEIGHT = 250;

export async function loadChart() {
  try {
    uPlot ??= (await import('./vendor/uplot.js')).default;
    if (!document.querySelector('link[href="vendor/uplot.css"]'))
      document.head.append(el('link', {rel: 'stylesheet', href: 'vendor/uplot.css'}));
    return draw;
  } catch {
    return null;
  }
}

// A canvas needs colours that are worked out: those of the theme, as an element wears them.
function colours(host) {
  const of = name => {
    const probe = el('span', {class: 'probe-' + name, hidden: true});
    host.append(probe);
    const colour = getComputedStyle(probe).color;
    probe.remove();
    return colour;
  };
  return {accent: of('accent'), fill: of('fill'), muted: of('muted'), grid: of('grid'), before: of('before'), card: of('card')};
}

// Points that stand alone between gaps, which a line would not show.
const alone = (u, i) => {
  const v = u.data[i];
  return v.flatMap((y, at) => (y !== null && (v[at - 1] ?? null) === null && (v[at + 1] ?? null) === null ? [at] : []));
};

function tip(host, c) {
  const box = el('div', {class: 'tip', hidden: true});
  host.append(box);
  return u => {
    const {idx, left} = u.cursor;
    box.hidden = left < 0 || idx === null || idx === undefined;
    if (box.hidden) return;
    box.replaceChildren(...c.tip(idx));
    const x = u.valToPos(u.data[0][idx], 'x') + u.bbox.left / devicePixelRatio;
    const side = x > host.clientWidth / 2 ? x - box.offsetWidth - 12 : x + 12;
    box.style.transform = `translate(${Math.max(0, side)}px, 8px)`;
  };
}

// c: {values, live, before (each as long, null where nothing is published), labels, bars, number, tip(i)}
// Gives a function that takes it away.
export function draw(host, c) {
  const k = colours(host), n = c.values.length;
  const points = {filter: alone, size: 6, fill: k.accent};
  const axis = {stroke: k.muted, font: '12px system-ui, sans-serif', ticks: {show: false}};
  const area = u => {
    const g = u.ctx.createLinearGradient(0, u.bbox.top, 0, u.bbox.top + u.bbox.height);
    g.addColorStop(0, k.fill);
    g.addColorStop(1, 'transparent');
    return g;
  };
  const line = {stroke: k.accent, width: 2, spanGaps: false, points};
  const shown = c.bars
    ? {stroke: k.accent, fill: k.fill, width: 1, paths: uPlot.paths.bars({size: [.7, 48], radius: .15}), points: {show: false}}
    : {...line, fill: area};
  const most = Math.max(1, ...[...c.values, ...c.live, ...c.before].filter(v => v !== null));
  const options = {
    width: host.clientWidth, height: HEIGHT, padding: [12, 12, 0, 0], legend: {show: false},
    cursor: {y: false, drag: {x: false, y: false}, points: {size: 8, width: 2, stroke: k.card, fill: k.accent}},
    scales: {x: {time: false, range: () => (c.bars ? [-.6, n - .4] : [0, Math.max(1, n - 1)])}, y: {range: () => [0, most * 1.08]}},
    axes: [
      {...axis, grid: {show: false}, gap: 8, size: 34,
        splits: u => {
          const every = Math.max(1, Math.ceil(n / Math.max(2, Math.floor(u.width / 92))));
          return c.labels.map((_, i) => i).filter(i => i % every === 0);
        },
        values: (u, at) => at.map(i => c.labels[i] ?? '')},
      {...axis, grid: {stroke: k.grid, width: 1}, gap: 8, size: 52, space: 52, incrs: [1, 2, 5, 10, 20, 50, 100, 200, 500, 1e3, 2e3, 5e3, 1e4, 2e4, 5e4, 1e5, 2e5, 5e5, 1e6, 2e6, 5e6, 1e7, 1e8, 1e9],
        values: (u, at) => at.map(c.number)},
    ],
    series: [{}, shown, {...line, dash: [5, 5]}, {stroke: k.before, width: 1.5, dash: [4, 4], spanGaps: false, points: {...points, fill: k.before, stroke: k.before}}],
    hooks: {setCursor: [tip(host, c)]},
  };
  const u = new uPlot(options, [c.values.map((_, i) => i), c.values, c.live, c.before], host);
  let width = host.clientWidth;
  const watch = new ResizeObserver(() => {
    if (host.clientWidth === width) return;
    width = host.clientWidth;
    u.setSize({width, height: HEIGHT});
  });
  watch.observe(host);
  return () => { watch.disconnect(); u.destroy(); host.replaceChildren(); };
}
