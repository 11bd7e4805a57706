// SPDX-License-Identifier: Apache-2.0
// test_dashboard.js: the dashboard in a real browser. Started by
// tests/scenario/test_dashboard.py with a file of {modules, url, shots, phase, …}
// as JSON; fails with words, or prints what it measured as JSON.
'use strict';
const assert = require('assert');
const fs = require('fs');
const path = require('path');

const o = JSON.parse(fs.readFileSync(process.argv[2], 'utf8'));
const {chromium} = require(path.join(o.modules, 'playwright-core'));
const ARGS = ['--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run',
  '--disable-background-networking', '--disable-component-update', '--disable-sync'];
const SIZES = {desktop: {width: 1280, height: 900}, phone: {width: 390, height: 844}};
const THEMES = ['light', 'dark'];
const BYTES_MAX = 95000;  // of the 100 kB that the whole first load may take
const PAINT_MS_MAX = 1000;
const axePath = path.join(o.modules, 'axe-core/axe.min.js');
const axe = fs.existsSync(axePath) ? fs.readFileSync(axePath, 'utf8') : null;
const seen = {shots: 0, axe: 0}, paints = [];

// A page of a context of its own, whose every request goes to the dashboard's server and whose console stays silent,
// but for answers that a test asked for.
async function arrive(browser, {theme = 'light', size = 'desktop', query = '?site=shop', expected = /^$/, motion = 'reduce', before} = {}) {
  // Without a graphics processor every frame of a motion costs the tests' time.
  const context = await browser.newContext({viewport: SIZES[size], colorScheme: theme, acceptDownloads: true, reducedMotion: motion});
  const page = await context.newPage();
  page.on('console', m => assert(m.type() !== 'error' || expected.test(m.text()), 'console: ' + m.text()));
  page.on('pageerror', e => assert.fail(`page: ${e.name} ${e.message} ${e.stack}`));
  page.on('request', r => assert(/^(blob|data):/.test(r.url()) || new URL(r.url()).origin === o.url, 'a request to ' + r.url()));
  if (before) await before(page);
  await page.goto(o.url + '/' + query);
  await settled(page);
  const painted = await page.waitForFunction(() => performance.getEntriesByName('first-contentful-paint')[0]?.startTime);
  paints.push(await painted.jsonValue());
  return {context, page};
}

const settled = page => page.waitForFunction(() => !/^Reading/.test(document.getElementById('status').textContent) && !document.querySelector('[aria-busy="true"]:not([hidden] *)'));
const text = (page, at) => page.locator(at).first().innerText();

// What stands last is read when somebody comes there.
async function toTheEnd(page) {
  await page.locator('#notes').scrollIntoViewIfNeeded();
  await page.waitForFunction(() => !document.querySelector('#further[data-waits]'));
  await page.evaluate(() => scrollTo(0, 0));
}

async function shot(page, name) {
  await page.screenshot({path: path.join(o.shots, name + '.png'), fullPage: true});
  seen.shots++;
  assert(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), name + ' is wider than its window');
}

async function judge(page, what) {
  if (!axe) return;
  await page.evaluate(axe);
  const {violations} = await page.evaluate(() => axe.run(document, {resultTypes: ['violations']}));
  const bad = violations.filter(v => ['serious', 'critical'].includes(v.impact));
  assert.deepStrictEqual(bad.map(v => [v.id, v.nodes.map(n => n.html.slice(0, 120) + ' ' + n.failureSummary)]), [], what);
  seen.axe++;
}

// Both themes and sizes: looked at by people in the pictures, and by axe.
async function everyLook(browser, name, expected, query) {
  for (const theme of THEMES) {
    const {context, page} = await arrive(browser, {theme, expected, query});
    await toTheEnd(page);
    await judge(page, `${name} ${theme}`);
    for (const size of Object.keys(SIZES)) {
      await page.setViewportSize(SIZES[size]);
      await page.waitForFunction(() => !document.querySelector('.uplot') || document.querySelector('.uplot').offsetWidth <= document.getElementById('chart').clientWidth);
      await shot(page, `${name}-${theme}-${size}`);
    }
    await context.close();
  }
}

// ---- an empty install ----

async function empty(browser) {
  await everyLook(browser, 'empty');
  const {context, page} = await arrive(browser);
  const said = await text(page, '#empty');
  for (const word of ['waiting for its first crowd', 'Rows appear at 20 visitors', 'data-site="shop"', 'winnow status', 'winnow import --site shop'])
    assert(said.includes(word), word + ' is not in: ' + said);
  assert(await page.locator('#figures').isHidden(), 'figures of nothing');
  await context.close();
}

// ---- thirty days ----

// The whole first load, as it went over the wire.
const load = {bytes: 0, requests: 0};
async function counted(page) {
  const cdp = await page.context().newCDPSession(page);
  await cdp.send('Network.enable');
  cdp.on('Network.loadingFinished', e => { load.bytes += e.encodedDataLength; load.requests++; });
}

// The first paint: the best of all loads, for the machine has other work too.
function light() {
  seen.paint_ms = Math.round(Math.min(...paints));
  assert(paints.length > 9 && seen.paint_ms < PAINT_MS_MAX, `first paint after ${paints} ms`);
  assert(seen.requests > 20 && seen.bytes > 30000, 'the load was not measured');
  assert(seen.bytes <= BYTES_MAX, `${seen.bytes} bytes transferred`);
}

const listed = (page, at) => page.locator(`${at} table.list tbody tr`).evaluateAll(rows =>
  rows.map(r => [r.dataset.key, Number(r.querySelector('td').dataset.value)]));

// Every figure on the page is the one `winnow report` gives.
async function figures(browser) {
  const {context, page} = await arrive(browser, {before: counted});
  Object.assign(seen, load);  // before tabs are opened
  assert.strictEqual(await text(page, '#title'), o.title);
  for (const [measure, value] of Object.entries(o.totals)) {
    const tile = page.locator(`.tile[data-measure="${measure}"]`);
    assert.strictEqual(Number(await tile.locator('.big').getAttribute('data-value')), value, measure);
    assert((await tile.innerText()).includes(value.toLocaleString('en')), measure + ' as text');
    assert((await tile.innerText()).includes('at least'), measure + ' is a floor');
    const {percent, n} = o.compared[measure];
    const word = percent > 0 ? 'up' : percent < 0 ? 'down' : 'same';
    const delta = (await tile.locator('.delta').textContent()).replace(/^[↑↓=] /, '');
    assert.strictEqual(delta, `${word} ${Math.abs(percent)}% on ${n} of 30 days`, measure);
  }
  for (const [card, tabs] of Object.entries(o.cards)) for (const [tab, rows] of Object.entries(tabs)) {
    if (tab) await page.locator(`#${card} [role=tab]`, {hasText: new RegExp(`^${tab}$`)}).click();
    await settled(page);
    assert.deepStrictEqual(await listed(page, '#' + card), rows.slice(0, 8), `${card} ${tab}`);
  }
  await page.locator('.as-table summary').click();
  const days = await page.locator('#chart-table tbody tr').evaluateAll(rows => rows.map(r => r.querySelector('td').textContent.replaceAll(',', '')));
  assert.deepStrictEqual(days, o.days.map(v => (v === null ? '–' : String(v))), 'day by day');
  assert(/Live: steps of 10, as published at \d\d:\d\d, next step in/.test(await text(page, '#live')), await text(page, '#live'));
  const notes = await text(page, '#notes');
  for (const word of ['a missing row is not zero', 'never rounded up', 'Visitor days add up']) assert(notes.includes(word), word);
  assert((await text(page, '#countries')).includes('DB-IP'), 'attribution');
  assert(await page.locator('#countries path.has').count() >= 5, 'countries on the map');
  assert.strictEqual(await page.locator('#chart canvas').count(), 1, 'a chart');
  for (const [card, wanted] of Object.entries(o.csv)) {
    const [file] = await Promise.all([page.waitForEvent('download'), page.locator(`#${card} a`, {hasText: /^CSV$/}).click()]);
    assert.strictEqual(fs.readFileSync(await file.path(), 'utf8'), wanted, card);
    assert(/^shop-\w+-[\d-]+\.csv$/.test(file.suggestedFilename()), file.suggestedFilename());
  }
  await context.close();
}

async function oneDay(browser) {
  const {context, page} = await arrive(browser, {query: '?site=shop&period=yesterday'});
  assert.strictEqual(Number(await page.locator('.tile[data-measure="people"] .big').getAttribute('data-value')), o.yesterday.people);
  assert((await text(page, '.tile')).startsWith('Visitors'), 'people of one day are visitors');
  assert((await text(page, '#live')).startsWith('Sealed'), 'sealed');
  await page.locator('.as-table summary').click();
  const hours = await page.locator('#chart-table tbody tr').evaluateAll(rows => rows.map(r => [r.cells[0].textContent, r.cells[1].textContent]).filter(r => r[1] !== '–'));
  assert.deepStrictEqual(hours, o.yesterday.hours.map(([h, v]) => [h === 'other' ? 'Other hours' : h, v.toLocaleString('en')]), 'hours');
  await page.selectOption('#period', 'today');
  await page.waitForFunction(() => /today/.test(location.search));
  await settled(page);
  assert((await text(page, '.tile[data-measure="sessions"]')).includes('at the seal'), 'no sessions yet');
  assert((await text(page, '.tile')).includes('the day is not over'), 'an open day is compared with none');
  await shot(page, 'today');
  await context.close();
}

// Only along planned tables: a country leads to devices, a referrer nowhere.
async function drill(browser) {
  const {context, page} = await arrive(browser);
  assert.strictEqual(await page.locator('#sources .link').count(), 0, 'a referrer leads nowhere');
  const button = page.locator('#countries .link', {hasText: 'Germany'}), byDevice = 'dialog[open] section:has(h3:text("By device"))';
  await button.click();
  await page.waitForSelector(byDevice);
  assert.deepStrictEqual(await listed(page, byDevice), o.drill.rows);
  assert.strictEqual(new URL(page.url()).searchParams.get('in'), 'country:DE');
  await judge(page, 'drill-down');
  await shot(page, 'drill');
  await page.reload();
  await page.waitForSelector('dialog[open] table.list');
  await page.keyboard.press('Escape');
  await page.waitForSelector('dialog:not([open])', {state: 'attached'});
  await page.waitForFunction(() => !/[?&]in=/.test(location.search));
  await page.locator('#countries path[data-code="DE"]').click();  // the map leads there too
  await page.waitForSelector('dialog[open] table.list');
  await page.keyboard.press('Escape');
  // All rows of a table.
  await page.locator('#pages button', {hasText: 'All rows'}).click();
  await page.waitForSelector('dialog[open] tbody tr');
  const rows = await page.locator('dialog tbody tr').evaluateAll(all => all.map(r => [r.cells[0].textContent, r.cells[1].textContent.replaceAll(',', '')]));
  assert.deepStrictEqual(rows, o.pages.map(r => [r.other ? 'Everybody in rows not shown' : r.route, String(r.visitor_days)]).slice(0, 100), 'all rows');
  await judge(page, 'all rows');
  await context.close();
}

// From picker to picker and through a card's tabs without a pointer; the focus is always to be seen.
async function keyboard(browser) {
  const {context, page} = await arrive(browser, {query: '?site=shop'});
  const focus = () => page.evaluate(() => {
    const e = document.activeElement, s = getComputedStyle(e);
    return {name: e.id || e.className, ring: s.outlineStyle !== 'none' && parseFloat(s.outlineWidth) >= 1};
  });
  const walk = [];
  for (let i = 0; i < 9; i++) {
    await page.keyboard.press('Tab');
    const f = await focus();
    assert(f.ring, 'no focus to be seen on ' + f.name);
    walk.push(f.name);
  }
  assert.deepStrictEqual(walk, ['skip', 'brand', 'site', 'compare', 'period', 'theme', 'tile', 'tile', 'tile']);
  await page.keyboard.press('Shift+Tab');
  await page.keyboard.press('Enter');
  assert.strictEqual(await page.getAttribute('.tile[data-measure="events"]', 'aria-pressed'), 'true');
  assert.strictEqual(new URL(page.url()).searchParams.get('measure'), 'events');
  await page.focus('#period');
  await page.keyboard.press('ArrowUp');  // from 30 days to 7
  await settled(page);
  await page.waitForFunction(() => /7d/.test(location.search));
  assert.strictEqual(await page.evaluate(() => document.activeElement.id), 'period', 'the picker keeps the focus');
  await page.focus('#compare');
  await page.keyboard.press('Space');
  await page.waitForFunction(() => /compare=no/.test(location.search));
  await settled(page);
  assert.strictEqual(await page.locator('.delta').count(), 0, 'nothing compared');
  await page.focus('#sources [role=tab][aria-selected=true]');
  await page.keyboard.press('ArrowRight');
  await settled(page);
  assert.strictEqual(await text(page, '#sources [aria-selected=true]'), 'Channels');
  assert.strictEqual(new URL(page.url()).searchParams.get('sources'), 'channels');
  // What the address says is shown again, and going back goes back.
  const address = page.url();
  await page.goBack();
  await page.waitForFunction(() => !/compare/.test(location.search));
  await page.goto(address);
  await settled(page);
  assert.strictEqual(await text(page, '#sources [aria-selected=true]'), 'Channels');
  assert.strictEqual(await page.isChecked('#compare'), false);
  // The skip link, then days of one's own choice.
  await page.goto(o.url + '/?site=shop');
  await settled(page);
  await page.keyboard.press('Tab');
  await page.keyboard.press('Enter');
  assert.strictEqual(await page.evaluate(() => document.activeElement.id), 'main');
  await page.selectOption('#period', 'custom');
  await settled(page);
  await page.fill('#from', o.custom.from);
  await settled(page);
  await page.fill('#to', o.custom.to);
  await page.waitForFunction(to => location.search.includes('to=' + to), o.custom.to);
  await settled(page);
  assert.strictEqual(Number(await page.locator('.tile[data-measure="people"] .big').getAttribute('data-value')), o.custom.people);
  await context.close();
}

// What is kept in the browser: the chosen theme, once one is chosen. Motion stops for who asks for none.
async function kept(browser) {
  const {context, page} = await arrive(browser, {motion: 'no-preference'});
  const storage = () => page.evaluate(() => ({local: {...localStorage}, session: {...sessionStorage}}));
  assert.deepStrictEqual(await storage(), {local: {}, session: {}});
  await page.click('#theme');
  assert.deepStrictEqual(await storage(), {local: {'winnow-theme': 'dark'}, session: {}});
  const ground = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
  const dark = await ground();
  await page.reload();
  await settled(page);
  assert.strictEqual(await ground(), dark);
  assert(/rgb\(1\d, /.test(dark), dark);
  await page.emulateMedia({reducedMotion: 'reduce'});
  assert.strictEqual(await page.evaluate(() => getComputedStyle(document.querySelector('.dot')).animationName), 'none');
  assert.deepStrictEqual(await context.cookies(), []);
  await context.close();
}

// What other plans and worse days bring, by answers made up here.
async function made(browser) {
  const noise = {id: 'shared', doc: 'Shared', dimensions: ['job'], measures: ['people'], k: 20, profile: 'noise', share: true, receivers: ['partner']};
  const strange = '<img src=x onerror=alert(1)>';
  const {context, page} = await arrive(browser, {before: async page => {
    await page.route('**/api/v1/tables*', async route => {
      const answer = await route.fetch(), body = await answer.json();
      body.tables.push(noise);
      await route.fulfill({response: answer, json: body});
    });
    await page.route('**/api/v1/report*table=shared*', route => route.fulfill({
      contentType: 'text/csv', body: `job,visitor_days,half_width\r\n"'-${strange}",240,35\r\n`}));
  }});
  await toTheEnd(page);
  const tab = page.locator('#more [role=tab]', {hasText: 'Job families (estimates)'});
  if (await tab.count()) await tab.click();  // other plans fill the card too
  await settled(page);
  const said = await text(page, '#more');
  assert(said.includes('≈ 240 ± 35') && said.includes('-' + strange) && !said.includes("'-") && said.includes('about'), said);
  assert((await text(page, '#notes')).includes('95 of 100'), 'what the band means');
  await judge(page, 'a card with noise');
  await context.close();
}

// What receivers get: noise tables that the aggregator drew, one of everybody among them, each row with its band.
async function noise(browser) {
  const query = '?site=lab&period=today', {context, page} = await arrive(browser, {query});
  await toTheEnd(page);
  for (const {doc, dims, half, rows} of Object.values(o.noise)) {
    const tabs = page.locator('#more [role=tab]', {hasText: /estimates/});
    const names = await tabs.allTextContents();
    const at = dims.length ? names.findIndex(n => n.split(' × ').length === dims.length && new RegExp(NAMES[dims[0]]).test(n)) : names.indexOf(`${doc} (estimates)`);
    if (at < 0) { assert(dims.length, `${doc} has no tab among ${names}`); continue; }  // of a card of its own
    await tabs.nth(at).click();
    await settled(page);
    assert.deepStrictEqual(await listed(page, '#more'), rows.slice(0, 8), doc);
    const said = await text(page, '#more');
    assert(said.includes(`≈ ${rows[0][1].toLocaleString('en')} ± ${half}`) && said.includes('about'), said);
    const reach = await page.locator('#more .reach').first().evaluate(e => [e.getBoundingClientRect(), e.parentElement.querySelector('.fill').getBoundingClientRect()].map(b => [b.left, b.right]));
    assert(reach[0][0] < reach[1][1] && reach[0][1] > reach[1][1], `the band lies around the bar's end: ${reach}`);
    seen.noise = (seen.noise ?? 0) + 1;
  }
  assert(seen.noise >= 3, 'too few noise tables were seen');
  assert((await text(page, '#notes')).includes('95 of 100'), 'what the band means');
  await context.close();
  await everyLook(browser, 'noise', undefined, query);
}
const NAMES = {route: '^Pages', device: '^Devices', browser: '^Browsers', country: '^Countries', referrer: '^Referrers', event: '^Events', term: '^Search terms'};

async function broken(browser) {
  const problem = {type: 'urn:winnow:problem:busy', title: 'Too many at once', status: 503, detail: 'Come back in a moment', error: ''};
  const broken = await arrive(browser, {expected: /503/, before: page => page.route('**/api/v1/report*table=pages*', route => route.fulfill({status: 503, json: problem}))});
  assert((await text(broken.page, '#pages')).includes('Come back in a moment'), 'one card fails by itself');
  assert((await listed(broken.page, '#countries')).length > 5, 'the others stand');
  await broken.page.unroute('**/api/v1/report*table=pages*');
  await broken.page.locator('#pages button', {hasText: 'Try again'}).click();
  await settled(broken.page);
  assert((await listed(broken.page, '#pages')).length === 8, 'again');
  await broken.page.route('**/api/v1/sites', route => route.fulfill({status: 503, json: problem}));
  await broken.page.reload();
  await settled(broken.page);
  assert((await text(broken.page, '#message')).includes('Come back in a moment'), 'all fails in words');
  await judge(broken.page, 'an error');
  await broken.context.close();

}

// A build to which setup could not bring uPlot and the map.
async function withoutVendor(browser) {
  const plain = await arrive(browser, {expected: /404/, before: page => page.route('**/vendor/**', route => route.fulfill({status: 404, body: ''}))});
  assert((await text(plain.page, '#overview')).includes('This build has no chart'), 'no chart, and it says so');
  assert.strictEqual(await plain.page.locator('#chart-table tbody tr').count(), 30, 'the table instead');
  assert(await plain.page.locator('#chart-table').isVisible(), 'open');
  assert((await text(plain.page, '#countries')).includes('This build has no map'), 'no map, and it says so');
  assert((await listed(plain.page, '#countries')).length > 5, 'the list stands');
  await plain.context.close();
}

// ---- readers with keys ----

async function key(browser) {
  await everyLook(browser, 'key', /401/);
  const {context, page} = await arrive(browser, {expected: /401/});
  assert((await text(page, '#message')).includes('A key is needed'), 'asks for a key');
  await page.fill('input[name=key]', 'wnk_wrong');
  await page.click('form.ask button');
  await settled(page);
  assert(await page.isVisible('input[name=key]'), 'asks again');
  await page.fill('input[name=key]', o.key);
  await page.keyboard.press('Enter');
  await page.waitForSelector('#pages table.list');
  await settled(page);
  assert.deepStrictEqual(await page.evaluate(() => ({local: {...localStorage}, session: {...sessionStorage}})), {local: {}, session: {'winnow-key': o.key}});
  assert(!page.url().includes(o.key) && !(await page.content()).includes(o.key), 'the key is in no address and no page');
  const [file] = await Promise.all([page.waitForEvent('download'), page.locator('#pages a', {hasText: /^CSV$/}).click()]);
  assert.strictEqual(fs.readFileSync(await file.path(), 'utf8'), o.csv_pages, 'CSV with the key');
  await page.reload();
  await settled(page);
  assert(await page.isVisible('#pages table.list'), 'kept in the tab');
  await page.click('#forget');
  await page.waitForSelector('input[name=key]');
  assert.strictEqual(await page.evaluate(() => sessionStorage.length), 0);
  await context.close();
}

const phases = {
  empty: [empty],
  full: [figures, keyboard, drill, noise, broken, made, browser => everyLook(browser, 'full'), oneDay, kept, withoutVendor],
  key: [key],
};
const LANES = 3;  // so many at once, each in contexts of its own: most of the time goes by in waiting

(async () => {
  const browser = await chromium.launch({executablePath: '/usr/bin/chromium', args: ARGS});
  process.on('uncaughtException', e => { console.error(e.stack); process.exit(1); });
  process.on('unhandledRejection', e => { console.error(e.stack); process.exit(1); });
  try {
    const steps = [...phases[o.phase]];
    await Promise.all(Array.from({length: LANES}, async () => {
      for (let step = steps.shift(); step; step = steps.shift()) {
        const began = Date.now();
        await step(browser);
        if (process.env.WINNOW_VERBOSE) console.error(step.name, Date.now() - began, 'ms');
      }
    }));
    if (o.phase === 'full') light();
    console.log(JSON.stringify(seen));
  } finally {
    await browser.close();
  }
})().catch(e => {
  console.error(e.stack || e);
  process.exit(1);
});
