// SPDX-License-Identifier: Apache-2.0
// Winnow: counts page views. No cookie, no storage, no id.
// data-site: its name; data-hash: #/routes are pages;
// data-purposes: agreed to ("": nothing).
((w, d, n, l) => {
  const me = d.currentScript.dataset, early = w.winnow;
  const to = new URL(d.currentScript.src).origin + '/v1/events';
  let from = d.referrer, last;
  if (early && early.on) return;

  // Query and fragment stay here, but for utm_*.
  const path = () =>
    (l.pathname + ('hash' in me && (/^#!?(\/[^?]*)/.exec(l.hash) || '')[1] || '')).replace(/\/+/g, '/');
  const send = (name, props) => {
    let purposes = 'purposes' in me ? me.purposes.match(/\w+/g) || [] : undefined;
    if (n.globalPrivacyControl) purposes = (purposes || ['basic']).filter(p => p == 'basic');
    const utm = l.search.match(/utm_(source|medium|campaign)=[^&]*/g);
    const body = JSON.stringify({
      site: me.site, name, props, purposes,
      url: l.origin + path() + (utm ? '?' + utm.join('&') : ''),
      referrer: from.split('/', 3).join('/') || undefined, language: n.language, screen: '' + screen.width
    });
    if (!n.sendBeacon || !n.sendBeacon(to, body))
      fetch(to, {method: 'POST', body, keepalive: true, mode: 'no-cors'}).catch(() => {});
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
