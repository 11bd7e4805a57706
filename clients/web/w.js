// SPDX-License-Identifier: Apache-2.0
// Winnow: counts page views. No storage, no id.
// data-site, data-hash: #/routes are pages, data-purposes: agreed to
((w, d, n, l) => {
  const me = d.currentScript.dataset, early = w.winnow;
  const to = new URL(d.currentScript.src).origin + '/v1/';
  let from = d.referrer, last;
  if (early && early.on) return;

  const path = () =>
    (l.pathname + ('hash' in me && (/^#!?(\/[^?]*)/.exec(l.hash) || '')[1] || '')).replace(/\/+/g, '/');
  const post = (what, body) =>
    fetch(to + what, {method: 'POST', body, keepalive: true, mode: 'no-cors', credentials: 'include'}).catch(() => {});
  const send = (name, props) => {
    if (/^opt(in|out)$/.test(name)) return post(name.replace('t', 't-'));
    let purposes = 'purposes' in me ? me.purposes.match(/\w+/g) || [] : undefined;
    if (n.globalPrivacyControl) purposes = (purposes || ['basic']).filter(p => p == 'basic');
    const utm = l.search.match(/utm_(source|medium|campaign)=[^&]*/g);
    const body = JSON.stringify({
      site: me.site, name, props, purposes,
      url: l.origin + path() + (utm ? '?' + utm.join('&') : ''),
      referrer: from.split('/', 3).join('/') || undefined, language: n.language, screen: '' + screen.width
    });
    n.sendBeacon && n.sendBeacon(to + 'events', body) || post('events', body);
  };
  const view = () => {
    if (last == path()) return;
    if (last) from = l.origin;
    last = path();
    send('pageview');
  };
  const start = () => {
    for (const name of ['pushState', 'replaceState']) {
      const real = history[name];
      history[name] = function () { real.apply(this, arguments); view(); };
    }
    w.addEventListener('popstate', view);
    view();
    (w.winnow = send).on = 1;
    for (const call of early && early.q || []) send(...call);
  };
  if (d.prerendering) d.addEventListener('prerenderingchange', start, {once: true});
  else start();
})(window, document, navigator, location);
