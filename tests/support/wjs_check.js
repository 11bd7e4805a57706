// SPDX-License-Identifier: Apache-2.0
// wjs_check.js: runs clients/web/w.js in a sham page and checks each promise its
// header makes. Usage: node wjs_check.js w.js
'use strict';
const fs = require('fs'), vm = require('vm'), assert = require('assert');
const source = fs.readFileSync(process.argv[2], 'utf8');

function page(options) {
  const o = Object.assign({url: 'https://shop.test/a?token=x&utm_source=mail#frag', data: {site: 's'}, referrer: ''}, options);
  const sent = [], heard = {};
  const location = new URL(o.url);
  const listen = (name, f) => { heard[name] = f; };
  const go = (state, title, to) => { location.href = new URL(to, location.href).href; };
  const window = {addEventListener: listen, winnow: o.winnow};
  const world = {
    window, location, URL, JSON, screen: {width: 1280},
    history: {pushState: go, replaceState: go},
    document: {currentScript: {src: 'https://count.test/w.js', dataset: o.data}, referrer: o.referrer,
               prerendering: o.prerendering, addEventListener: listen},
    navigator: {language: 'de-AT', globalPrivacyControl: o.gpc,
                sendBeacon: o.beacon === null ? undefined : (to, body) => {
                  if (o.beacon === false) return false;
                  assert.strictEqual(to, 'https://count.test/v1/events');
                  sent.push(JSON.parse(body));
                  return true;
                }},
    fetch: (to, how) => { sent.push(Object.assign(JSON.parse(how.body || '{}'), {to, how})); return Promise.resolve(); },
  };
  vm.runInNewContext(source, world);
  return {sent, heard, window, history: world.history, location, run: () => vm.runInNewContext(source, world)};
}

let p = page({referrer: 'https://news.test/item?user=7'});
assert.deepStrictEqual(p.sent, [{site: 's', name: 'pageview', url: 'https://shop.test/a?utm_source=mail',
  referrer: 'https://news.test', language: 'de-AT', screen: '1280'}]);
p.history.pushState(null, '', '/b');
p.history.replaceState(null, '', '/b?page=2');  // the same route: no second view
assert.strictEqual(p.sent.length, 2);
assert.strictEqual(p.sent[1].url, 'https://shop.test/b');
assert.strictEqual(p.sent[1].referrer, 'https://shop.test');
p.location.href = 'https://shop.test/a';
p.heard.popstate();
assert.strictEqual(p.sent[2].url, 'https://shop.test/a');
p.window.winnow('signup', {plan: 'pro'});
assert.strictEqual(p.sent[3].name, 'signup');
assert.deepStrictEqual(p.sent[3].props, {plan: 'pro'});
p.run();  // included twice: counts once
assert.strictEqual(p.sent.length, 4);

p = page({url: 'https://shop.test/#/cart/?x=1'});
assert.strictEqual(p.sent[0].url, 'https://shop.test/');
p = page({url: 'https://shop.test/app/#!/cart?x=1', data: {site: 's', hash: ''}});
assert.strictEqual(p.sent[0].url, 'https://shop.test/app/cart');
p = page({url: 'https://shop.test/app#anchor', data: {site: 's', hash: ''}});
assert.strictEqual(p.sent[0].url, 'https://shop.test/app');

assert.deepStrictEqual(page({gpc: true}).sent[0].purposes, ['basic']);
assert.deepStrictEqual(page({gpc: true, data: {site: 's', purposes: 'basic measure'}}).sent[0].purposes, ['basic']);
assert.deepStrictEqual(page({gpc: true, data: {site: 's', purposes: ''}}).sent[0].purposes, []);
assert.deepStrictEqual(page({data: {site: 's', purposes: 'basic, measure'}}).sent[0].purposes, ['basic', 'measure']);

const stub = function () { (stub.q = stub.q || []).push(arguments); };
stub('early', {a: 1});
p = page({winnow: stub});
assert.deepStrictEqual(p.sent.map(e => e.name), ['pageview', 'early']);
assert.strictEqual(page({winnow: function () {}}).sent.length, 1);  // stub never called

p = page({prerendering: true});
assert.strictEqual(p.sent.length, 0);
p.heard.prerenderingchange();
assert.strictEqual(p.sent.length, 1);

for (const beacon of [null, false]) {
  p = page({beacon});
  assert.strictEqual(p.sent[0].how.method, 'POST');
  assert.strictEqual(p.sent[0].how.keepalive, true);
  assert.strictEqual(p.sent[0].to, 'https://count.test/v1/events');
  assert.strictEqual(p.sent[0].how.headers, undefined);  // text/plain: no preflight
  assert.strictEqual(p.sent[0].how.credentials, 'include');  // the opt-out travels, as with a beacon
}

// Opting out and in: a request with the cookie, and no event.
p = page({});
for (const [call, to] of [['optout', 'opt-out'], ['optin', 'opt-in']]) {
  p.window.winnow(call);
  const {how, ...rest} = p.sent.pop();
  assert.deepStrictEqual(rest, {to: 'https://count.test/v1/' + to});
  assert.deepStrictEqual({...how}, {method: 'POST', body: undefined, keepalive: true, mode: 'no-cors', credentials: 'include'});
}
p.window.winnow('optout2');
assert.deepStrictEqual(p.sent.map(e => e.name), ['pageview', 'optout2']);
stub.q = [];
stub('optout');
assert.strictEqual(page({winnow: stub}).sent[1].to, 'https://count.test/v1/opt-out');
for (const word of ['cookie', 'localStorage', 'sessionStorage', 'indexedDB'])
  assert(!source.replace(/^\/\/.*$/mg, '').includes(word), word);
console.log('w.js: ok');
