// SPDX-License-Identifier: Apache-2.0
// ui_vendor.mjs: makes of npm packages what the dashboard takes from others.
//   node ui_vendor.mjs MODULES OUT
// uPlot becomes an ES module beside its licence. The countries of world-atlas
// (Natural Earth 1:110m) become one SVG path each, on an Equal Earth map of
// whole numbers, which is a tenth of the TopoJSON.
import {copyFileSync, mkdirSync, readFileSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';

const [modules, out] = process.argv.slice(2);
const WIDTH = 960;
const ANTARCTICA = '010';

function uplot() {
  const from = join(modules, 'uplot');
  const code = readFileSync(join(from, 'dist/uPlot.iife.min.js'), 'utf8');
  writeFileSync(join(out, 'uplot.js'), code + '\nexport default uPlot;\n');
  copyFileSync(join(from, 'dist/uPlot.min.css'), join(out, 'uplot.css'));
  copyFileSync(join(from, 'LICENSE'), join(out, 'uplot-licence.txt'));
}

// Equal Earth (Šavrič, Patterson, Jenny 2018): areas are to scale, so a colour's weight is.
function project([longitude, latitude]) {
  const [a1, a2, a3, a4] = [1.340264, -0.081106, 0.000893, 0.003796], m = Math.sqrt(3) / 2;
  const lambda = longitude * Math.PI / 180, t = Math.asin(m * Math.sin(latitude * Math.PI / 180));
  const t2 = t * t, t6 = t2 * t2 * t2;
  const x = lambda * Math.cos(t) / (m * (a1 + 3 * a2 * t2 + t6 * (7 * a3 + 9 * a4 * t2)));
  return [x, t * (a1 + a2 * t2 + t6 * (a3 + a4 * t2))];
}

// A TopoJSON's arcs are delta-coded on a grid.
function arcsOf({arcs, transform: {scale, translate}}) {
  return arcs.map(arc => {
    let x = 0, y = 0;
    return arc.map(([dx, dy]) => [(x += dx) * scale[0] + translate[0], (y += dy) * scale[1] + translate[1]]);
  });
}

function ring(parts, arcs) {
  return parts.flatMap((i, n) => (i < 0 ? [...arcs[~i]].reverse() : arcs[i]).slice(n ? 1 : 0));
}

// A ring over the 180th meridian is cut there: on one side it ends at the map's edge, on the other it begins at it.
function cut(points) {
  let turn = 0;
  const unwound = points.map(([x, y], i) => {
    const step = i ? x - points[i - 1][0] : 0;
    turn += step > 180 ? -360 : step < -180 ? 360 : 0;
    return [x + turn, y];
  });
  const [low, high] = [Math.min(...unwound.map(p => p[0])), Math.max(...unwound.map(p => p[0]))];
  const side = by => unwound.map(([x, y]) => [Math.max(-180, Math.min(180, x + by)), y]);
  return [side(0), ...(high > 180 ? [side(-360)] : []), ...(low < -180 ? [side(360)] : [])];
}

// Whole numbers, each point relative to the one before; points that fall together are one.
function path(points, at) {
  let text = '', [px, py] = [0, 0], n = 0;
  for (const p of points) {
    const [x, y] = at(p);
    if (n && x === px && y === py) continue;
    text += n ? `${n === 1 ? 'l' : x < px ? '' : ' '}${x - px}${y < py ? '' : ' '}${y - py}` : `M${x} ${y}`;
    [px, py] = [x, y];
    n++;
  }
  return n > 2 ? text + 'z' : '';
}

function alpha2(id) {
  if (!id) return '';
  const region = new Intl.Locale('und-' + id).region;  // ISO 3166-1: the number's letters
  if (!/^[A-Z]{2}$/.test(region)) throw new Error(`no country ${id}`);
  return region;
}

function world() {
  const atlas = JSON.parse(readFileSync(join(modules, 'world-atlas/countries-110m.json')));
  const arcs = arcsOf(atlas);
  const countries = atlas.objects.countries.geometries.filter(g => g.id !== ANTARCTICA).map(g => ({
    code: alpha2(g.id), rings: (g.type === 'Polygon' ? [g.arcs] : g.arcs).flat()
      .flatMap(parts => cut(ring(parts, arcs))).map(points => points.map(project)),
  }));
  const all = countries.flatMap(c => c.rings).flat();
  const [left, right] = [Math.min(...all.map(p => p[0])), Math.max(...all.map(p => p[0]))];
  const [low, high] = [Math.min(...all.map(p => p[1])), Math.max(...all.map(p => p[1]))];
  const scale = WIDTH / (right - left);
  const at = ([x, y]) => [Math.round((x - left) * scale), Math.round((high - y) * scale)];
  const shapes = countries.map(c => [c.code, c.rings.map(r => path(r, at)).join('')]).filter(([, d]) => d);
  writeFileSync(join(out, 'world.json'), JSON.stringify({width: WIDTH, height: Math.ceil((high - low) * scale), shapes}));
}

mkdirSync(out, {recursive: true});
uplot();
world();
