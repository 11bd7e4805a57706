// SPDX-License-Identifier: Apache-2.0
// test_browser.js: w.js in a real browser, as many visitors. Started by
// tests/scenario/test_browser.py with a file of {modules, page, foreign, collector, beside, beacons, visitors}
// as JSON; fails with words, or prints what it saw as JSON.
'use strict';
const assert = require('assert');
const path = require('path');

const o = JSON.parse(require('fs').readFileSync(process.argv[2], 'utf8'));
const {chromium} = require(path.join(o.modules, 'playwright-core'));
const ARGS = ['--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run',
  '--disable-background-networking', '--disable-component-update', '--disable-sync'];
const AGENT = 'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130.0.0.0 Safari/537.36';
const events = o.collector + '/v1/events';

const seen = {requests: 0, beacons: 0};

// A context of their own: nothing is shared between two visitors but the browser.
async function arrive(browser, v) {
  const context = await browser.newContext({
    locale: v.locale, userAgent: AGENT, viewport: {width: v.width, height: 800}, screen: {width: v.width, height: 800},
    extraHTTPHeaders: Object.assign({'X-Forwarded-For': v.address}, v.gpc ? {'Sec-GPC': '1'} : {}),
  });
  if (v.gpc)
    await context.addInitScript(() => Object.defineProperty(navigator, 'globalPrivacyControl', {get: () => true}));
  const sent = [], open = new Set();
  context.on('request', r => {
    seen.requests++;
    const origin = new URL(r.url()).origin;
    assert([o.page, o.foreign, o.collector].includes(origin), 'a request to ' + origin);
    open.add(r);
    if (r.url() === events && r.method() === 'POST') {
      seen.beacons += r.resourceType() === 'ping';
      sent.push(JSON.parse(r.postData()));
    }
  });
  context.on('requestfinished', r => open.delete(r));
  context.on('requestfailed', r => open.delete(r));
  context.on('response', r => assert(!('set-cookie' in r.headers()), 'a cookie from ' + r.url()));
  return {context, sent, settled: () => until(() => open.size === 0, 'requests to end')};
}

async function until(test, what) {
  for (const end = Date.now() + 30000; !await test();) {
    assert(Date.now() < end, 'waited for ' + what);
    await new Promise(go => setTimeout(go, 20));
  }
}

// Nothing that could tell a visitor again is left: neither on the page's origin nor on the collector's.
async function leftNothing(context, page) {
  const kept = () => page.evaluate(async () => ({
    cookie: document.cookie, local: localStorage.length, session: sessionStorage.length,
    databases: (await indexedDB.databases()).length, name: window.name,
    workers: navigator.serviceWorker ? (await navigator.serviceWorker.getRegistrations()).length : 0,
    caches: window.caches ? (await caches.keys()).length : 0,
  }));
  const nothing = {cookie: '', local: 0, session: 0, databases: 0, name: '', workers: 0, caches: 0};
  assert.deepStrictEqual(await kept(), nothing);
  assert.deepStrictEqual(await context.storageState(), {cookies: [], origins: []});
}

async function visit(browser, v) {
  const {context, sent, settled} = await arrive(browser, v);
  const page = await context.newPage();
  await page.goto(o.page + '/?token=secret&utm_source=mail');
  await until(() => sent.length >= 2, 'the first view and the early event');
  await page.evaluate(() => history.pushState({}, '', '/pricing?token=secret#part'));
  await page.evaluate(() => history.replaceState({}, '', '/pricing?token=other'));  // the same route
  await page.goBack();
  await until(() => sent.length >= 4, 'two routes more');
  await settled();
  await leftNothing(context, page);
  await page.close();  // what the page sends while it goes is seen by the collector alone
  await context.close();

  const said = sent.map(e => e.name + ' ' + new URL(e.url).pathname);
  assert.deepStrictEqual(said, ['pageview /', 'signup /', 'pageview /pricing', 'pageview /']);
  assert(!JSON.stringify(sent).includes('token'), 'a query left the page');
  for (const e of sent) {
    assert.strictEqual(e.site, 'shop');
    assert.strictEqual(e.screen, String(v.width));
    assert.strictEqual(e.language, v.locale);
    assert.deepStrictEqual(e.purposes, v.gpc ? ['basic'] : undefined);
  }
}

// A script that reads the answer: allowed for the site's host after a preflight, for no other.
async function crossOrigin(browser) {
  const ask = page => page.evaluate(async to => {
    try {
      const r = await fetch(to, {method: 'POST', headers: {'Content-Type': 'application/json'}, body: '[]'});
      return r.status + ' ' + JSON.stringify(await r.json());
    } catch (e) {
      return e.name;
    }
  }, events);
  const answers = [];
  for (const origin of [o.page, o.foreign]) {
    const context = await browser.newContext();
    const page = await context.newPage();
    await page.goto(origin + '/empty');
    answers.push(await ask(page));
    await context.close();
  }
  assert.deepStrictEqual(answers, ['200 {"accepted":0,"refused":[]}', 'TypeError']);
}

// Opting out: by the page's forms, without script; and by w.js, whose beacons then carry the flag, as the
// collector's counter says.
async function optOut(browser) {
  const flag = async context => (await context.cookies()).map(c => `${c.name}=${c.value} ${c.path} ${c.sameSite} ${c.httpOnly}`);
  const set = ['winnow_opt_out=1 / Lax true'];
  let context = await browser.newContext({javaScriptEnabled: false});
  let page = await context.newPage();
  await page.goto(o.collector + '/v1/opt-out');
  for (const [button, state, cookies] of [['Do not count', 'has opted out', set], ['Count', 'has not opted out here', []]]) {
    await page.locator('button', {hasText: new RegExp('^' + button)}).click();
    await until(async () => await page.locator('strong').textContent() === state, state);
    assert.strictEqual(new URL(page.url()).pathname, '/v1/opt-out');
    assert.deepStrictEqual(await flag(context), cookies);
  }
  await context.close();

  // Not as a robot, as which a headless browser presents itself: those are refused before anybody asks for consent.
  context = await browser.newContext({userAgent: 'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36'});
  page = await context.newPage();
  await page.goto(o.page + '/empty');
  await page.evaluate(async at => {
    const s = document.createElement('script');
    Object.assign(s, {src: at + '/w.js', defer: true}).dataset.site = 'out';
    document.body.append(s);
    await new Promise(go => { s.onload = go; });
  }, o.beside);
  for (const [call, cookies] of [['optout', set], ['optin', []]]) {
    await page.evaluate(call => { winnow(call); }, call);
    await until(async () => (await flag(context)).length === cookies.length, call);
    assert.deepStrictEqual(await flag(context), cookies);
    let sent = 0;
    // Only its own: the page's first beacon may still be on its way.
    const count = r => { sent += r.url().endsWith('/v1/events') && r.postData().includes('"after"'); };
    context.on('requestfinished', count);
    await page.evaluate(n => { while (n--) winnow('after'); }, o.beacons);
    await until(() => sent === o.beacons, 'beacons after ' + call);
    context.off('requestfinished', count);
  }
  await context.close();
}

(async () => {
  const browser = await chromium.launch({executablePath: '/usr/bin/chromium', args: ARGS});
  try {
    for (const v of o.visitors) await visit(browser, v);
    await crossOrigin(browser);
    await optOut(browser);
    console.log(JSON.stringify(seen));
  } finally {
    await browser.close();
  }
})().catch(e => {
  console.error(e.stack || e);
  process.exitCode = 1;
});
