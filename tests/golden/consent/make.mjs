// SPDX-License-Identifier: Apache-2.0
// make.mjs: makes vectors.txt and mutated.txt with the IAB's own encoders, and
// writes beside each string what the IAB's own decoders read back from it.
//
//   in an empty folder outside the repository:
//     npm install @iabtcf/core@1.5.6 @iabgpp/cmpapi@3.2.0
//     NODE_PATH=$PWD/node_modules node <repository>/tests/golden/consent/make.mjs
//
// The same packages make the same files. What a string means is judged here a
// second time, from the decoders' fields, by the rules that consent_signals.h tells
// as consent_signals.h states them. MUTATIONS=n makes n lines in mutated.txt.
import { createRequire } from 'node:module';
import { writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
const require = createRequire(join(process.env.NODE_PATH ?? '.', '/'));
const { TCModel, TCString, GVL, SegmentEncoder, Base64Url, PurposeRestriction } = require('@iabtcf/core');
const iab = require('@iabgpp/cmpapi');

const here = dirname(fileURLToPath(import.meta.url));
const NOW_S = Date.UTC(2026, 10, 21, 12) / 1000;
const DAY = 86400;
const TERMS = { now: NOW_S, li: 0, vendors: [755], one: [] };
const ALL = ['basic', 'measure', 'locate', 'share', 'profile', 'sensitive'];

// ---- what the decoders' fields mean ----
function judgeTcf(m, t) {
    const updated = Math.floor(m.lastUpdated.getTime() / 1000);
    if (updated - DAY > t.now) return null;
    const consent = [8, 9].some((p) => m.purposeConsents.has(p));
    const interest = t.li && [8, 9].some((p) => m.purposeLegitimateInterests.has(p));
    const one = m.purposeOneTreatment ? t.one.includes(m.publisherCountryCode) : m.purposeConsents.has(1);
    const barred = (v, p) =>
        m.publisherRestrictions.getRestrictions(v).some((r) => r.purposeId === p && r.restrictionType !== 1);
    const vendor = (v) =>
        m.vendorConsents.has(v) &&
        m.vendorsDisclosed.has(v) &&
        !barred(v, 1) &&
        [8, 9].some((p) => m.purposeConsents.has(p) && !barred(v, p));
    const yes = [];
    if (consent || interest) yes.push('basic');
    if (consent && one) yes.push('measure');
    if (m.specialFeatureOptins.has(1)) yes.push('locate');
    if (consent && one && t.vendors.length > 0 && t.vendors.every(vendor)) yes.push('share');
    const no = ALL.slice(0, 4).filter((p) => !yes.includes(p));
    const silent = updated + 395 * DAY < t.now || m.policyVersion_ < 4 || m.policyVersion_ > 5;
    return { yes: silent ? [] : yes, no };
}

const US = {
    7: { cls: iab.UsNat, newest: 2, geo: 8, child: [1, 3], under13: 2 },
    8: { cls: iab.UsCa, newest: 1, geo: 3, childAny: [1, 2] },
};

function judgeUs(id, f) {
    const d = US[id],
        yes = new Set(),
        no = new Set();
    const refuse = (...ps) => ps.forEach((p) => no.add(p));
    if (f.Version > d.newest) refuse('share', 'locate');
    else {
        if ([f.SaleOptOut, f.SharingOptOut, f.TargetedAdvertisingOptOut].includes(1)) refuse('share');
        const geo = f.SensitiveDataProcessing[d.geo - 1];
        if (geo === 1) refuse('locate');
        if (geo === 2) yes.add('locate');
        const children = f.KnownChildSensitiveDataConsents;
        for (const i of d.child ?? []) if (children[i - 1] === 1) refuse('measure', 'locate', 'share');
        for (const i of d.childAny ?? []) if (children[i - 1]) refuse('measure', 'locate', 'share');
        if (d.under13 && children[d.under13 - 1]) refuse(...ALL);
    }
    if (f.GpcSegmentIncluded && f.Gpc) refuse(...ALL.slice(1));
    return { yes: [...yes].filter((p) => !no.has(p)), no: ALL.filter((p) => no.has(p)) };
}

const judgeUsp = (s) => ({ yes: [], no: s[2].toUpperCase() === 'Y' ? ['share'] : [] });

// ---- what the decoders read ----
const ranges = (set) => {
    const ids = [...set].sort((a, b) => a - b),
        out = [];
    for (let i = 0; i < ids.length; i++) {
        let j = i;
        while (ids[j + 1] === ids[j] + 1) j++;
        out.push(j > i ? `${ids[i]}-${ids[j]}` : `${ids[i]}`);
        i = j;
    }
    return out.join(',');
};
const idsOf = (vector) => ranges([...vector].filter(([, on]) => on).map(([id]) => id));

// The IAB's decoder knows no segment types above 3 and fails on them; they are to be skipped.
const skipUnknown = (text) =>
    text
        .split('.')
        .filter((s, i) => i === 0 || !/^[g-z0-9_-]/.test(s))
        .join('.');

const decodeTcf = (text) => TCString.decode(skipUnknown(text));
function tcfFields(m) {
    const barred = {};
    for (const r of m.publisherRestrictions.getRestrictions())
        barred[`${r.purposeId}.${r.restrictionType}`] = ranges(m.publisherRestrictions.getVendors(r));
    return {
        Created: m.created.getTime() / 100,
        LastUpdated: m.lastUpdated.getTime() / 100,
        CmpId: m.cmpId,
        CmpVersion: m.cmpVersion,
        ConsentScreen: m.consentScreen,
        ConsentLanguage: m.consentLanguage,
        VendorListVersion: m.vendorListVersion_,
        PolicyVersion: m.policyVersion_,
        UseNonStandardTexts: Number(m.useNonStandardStacks),
        SpecialFeatures: idsOf(m.specialFeatureOptins),
        Purposes: idsOf(m.purposeConsents),
        PurposesLI: idsOf(m.purposeLegitimateInterests),
        PurposeOneTreatment: Number(m.purposeOneTreatment),
        PublisherCC: m.publisherCountryCode,
        Vendors: idsOf(m.vendorConsents),
        VendorsLI: idsOf(m.vendorLegitimateInterests),
        Disclosed: idsOf(m.vendorsDisclosed),
        Restrictions: Object.entries(barred)
            .map(([k, v]) => `${k}:${v}`)
            .join(';'),
    };
}

const headerIds = (gpp) => new iab.HeaderV1(gpp.split('~')[0]).getFieldValue('SectionIds');

function usFields(id, text) {
    const section = new US[id].cls(text),
        f = {};
    const names = id === 7 ? [iab.USNAT_CORE_SEGMENT_FIELD_NAMES] : [iab.USCA_CORE_SEGMENT_FIELD_NAMES];
    for (const n of [...names.flat(), 'GpcSegmentIncluded', 'Gpc']) f[n] = section.getFieldValue(n);
    return f;
}

// Fields of the sections that are read, and what they say; null: unreadable.
function readGpp(gpp, sid, t) {
    if (!gpp.startsWith('DB')) throw new Error('no GPP string');
    new iab.GppModel(gpp).toObject();
    const ids = headerIds(gpp),
        parts = gpp.split('~'),
        fields = { Sections: ids.join(',') };
    const named = sid === undefined ? ids : sid === '-1' ? [] : sid.split(/[,_]/).map(Number);
    let says = { yes: [], no: [] },
        whole = true;
    for (const id of named) {
        const at = ids.indexOf(id);
        if (at < 0) throw new Error('a section in force is not there');
        const text = parts[at + 1];
        let s;
        if (id === 2) s = judgeTcf(decodeTcf(text), t);
        else if (id === 6) s = judgeUsp(text);
        else if (US[id]) {
            const f = usFields(id, text);
            s = judgeUs(id, f);
            whole &&= f.GpcSegmentIncluded && f.Version <= US[id].newest;
            fields[`${id}.Version`] = f.Version;
            if (f.Version <= US[id].newest)
                fields[`${id}.Items`] = Object.entries(f)
                    .filter(([n]) => !['Version', 'GpcSegmentIncluded', 'Gpc'].includes(n))
                    .flatMap(([, v]) => v)
                    .join('');
            fields[`${id}.Gpc`] = f.GpcSegmentIncluded ? Number(f.Gpc) : 'none';
        } else {
            s = { yes: [], no: ['locate', 'share'] };
            whole = false;
            const gpc = text
                .split('.')
                .slice(1)
                .some((x) => /^[Y-f]/.test(x));
            if (id >= 7 && gpc) s.no = ALL.slice(1);
        }
        if (s === null) return { fields, says: null };
        says = { yes: [...says.yes, ...s.yes], no: [...says.no, ...s.no] };
    }
    const no = ALL.filter((p) => says.no.includes(p));
    return { fields, says: { yes: ALL.filter((p) => whole && says.yes.includes(p) && !no.includes(p)), no } };
}

function read(kind, text, sid, t) {
    try {
        if (kind === 'gpp') return { reads: true, ...readGpp(text, sid, t) };
        const m = decodeTcf(text);
        return { reads: true, fields: tcfFields(m), says: judgeTcf(m, t) };
    } catch (e) {
        return { reads: false, fields: {}, says: null };
    }
}

// ---- making strings ----
const VENDORS = [...Array(30).keys()].map((i) => i + 1).concat([100, 101, 102, 500, 755, 793, 1000, 1200]);
const gvl = new GVL({
    gvlSpecificationVersion: 3,
    vendorListVersion: 150,
    tcfPolicyVersion: 5,
    lastUpdated: '2026-10-29T16:00:00Z',
    purposes: Object.fromEntries([...Array(11).keys()].map((i) => [i + 1, { id: i + 1 }])),
    specialPurposes: {},
    features: {},
    specialFeatures: {},
    stacks: {},
    dataCategories: {},
    vendors: Object.fromEntries(
        VENDORS.map((id) => [
            id,
            {
                id,
                name: `v${id}`,
                purposes: [1, 3, 4, 8, 9],
                legIntPurposes: [7, 10],
                flexiblePurposes: [2, 7, 8, 9],
                specialPurposes: [],
                features: [],
                specialFeatures: [],
            },
        ]),
    ),
});
const ms = (days) => (NOW_S - (NOW_S % DAY) - days * DAY) * 1000;

function model(o = {}) {
    const m = new TCModel(gvl);
    Object.assign(m, {
        cmpId: 31,
        cmpVersion: 7,
        consentScreen: 2,
        isServiceSpecific: true,
        publisherCountryCode: 'AT',
    });
    m.created = new Date(ms(o.days ?? 20));
    m.lastUpdated = new Date(ms(o.days ?? 20));
    m.purposeConsents.set(o.purposes ?? [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]);
    m.purposeLegitimateInterests.set(o.interests ?? []);
    m.specialFeatureOptins.set(o.features ?? [1, 2]);
    m.vendorConsents.set(o.vendors ?? [1, 2, 3, 8, 10, 755]);
    m.vendorLegitimateInterests.set(o.vendorsLI ?? [10, 11, 12]);
    for (const [purpose, type, ids] of o.restrictions ?? [])
        for (const id of ids) m.publisherRestrictions.add(id, new PurposeRestriction(purpose, type));
    return Object.assign(m, o.set ?? {});
}

function tcf(o = {}) {
    const m = model(o);
    if (o.publisher) {
        m.publisherConsents.set([1, 8, 9]);
        m.publisherLegitimateInterests.set([7]);
        m.publisherCustomConsents.set([1, 3]);
    }
    const segments = o.segments ?? ['core', 'vendorsDisclosed'].concat(o.publisher ? ['publisherTC'] : []);
    if (!o.raw) return TCString.encode(m, { segments });
    m.gvl_ = undefined; // segment by segment: the encoder's own corrections are left out
    m.vendorListVersion = 150;
    m.policyVersion = o.policy ?? 5;
    m.consentLanguage = 'DE';
    m.publisherRestrictions.gvl = gvl;
    m.vendorsDisclosed.set(o.disclosed ?? VENDORS);
    if (o.allowed) m.vendorsAllowed.set(o.allowed);
    return segments.map((s) => SegmentEncoder.encode(m, s)).join('.');
}
const raw = (o) => tcf({ raw: true, ...o });

function gpp(sections) {
    const m = new iab.GppModel();
    for (const [name, fields] of Object.entries(sections))
        for (const [k, v] of Object.entries(fields)) m.setFieldValue(name, k, v);
    return m.encode();
}
// A GPP string around sections as they are, under a header of the IAB's making.
function around(sections) {
    const h = new iab.HeaderV1();
    h.setFieldValue('SectionIds', Object.keys(sections).map(Number));
    return [h.encode(), ...Object.values(sections)].join('~');
}
const us = (cls, o) => {
    const s = new cls();
    for (const [k, v] of Object.entries(o)) s.setFieldValue(k, v);
    return s.encode();
};
const nat = (o = {}) =>
    us(iab.UsNat, {
        SaleOptOut: 2,
        SharingOptOut: 2,
        TargetedAdvertisingOptOut: 2,
        SaleOptOutNotice: 1,
        GpcSegmentIncluded: true,
        Gpc: false,
        ...o,
    });
const ca = (o = {}) =>
    us(iab.UsCa, {
        SaleOptOut: 2,
        SharingOptOut: 2,
        SaleOptOutNotice: 1,
        SharingOptOutNotice: 1,
        GpcSegmentIncluded: true,
        Gpc: false,
        ...o,
    });
const list = (n, o) => Array.from({ length: n }, (_, i) => o[i + 1] ?? 0);

const toBits = (s) => Base64Url.decode(s);
function toText(bits) {
    let out = '';
    for (let i = 0; i < bits.length; i += 6)
        out += Base64Url.DICT[parseInt(bits.slice(i, i + 6).padEnd(6, '0'), 2)];
    return out;
}
const int = (v, n) => v.toString(2).padStart(n, '0');
// Overwrites bits of the segment `seg`.
function patch(text, at, bits, seg = 0) {
    const parts = text.split('.'),
        b = toBits(parts[seg]);
    parts[seg] = toText(b.slice(0, at) + bits + b.slice(at + bits.length));
    return parts.join('.');
}
// A core whose lists of vendors are these bits, and its disclosed vendors.
const withVendors = (vendors, li = int(0, 17), restrictions = int(0, 12)) =>
    toText(toBits(raw({}).split('.')[0]).slice(0, 213) + vendors + li + restrictions) +
    '.' +
    raw({}).split('.')[1];
const idRange = (entries, max = 1200) =>
    int(max, 16) +
    '1' +
    int(entries.length, 12) +
    entries.map(([a, b]) => (b === undefined ? '0' + int(a, 16) : '1' + int(a, 16) + int(b, 16))).join('');

// ---- the vectors ----
const out = [],
    seen = new Set();
function vector(name, kind, text, o = {}) {
    const t = { ...TERMS, ...o.terms },
        r = read(kind, text, o.sid, t);
    if (seen.has(name)) throw new Error(`twice: ${name}`);
    seen.add(name);
    const says = o.doubt ? null : r.says;
    if (!o.doubt && says === null && !o.future) throw new Error(`${name} should be readable`);
    out.push(`vector ${name}`, `kind ${kind}`, `text ${text}`);
    if (o.sid !== undefined) out.push(`sid ${o.sid}`);
    out.push(`terms now=${t.now} li=${t.li} vendors=${t.vendors.join(',')} one=${t.one.join(',')}`);
    out.push(`iab ${r.reads ? 'reads' : 'throws'}`);
    if (!o.doubt) for (const [k, v] of Object.entries(r.fields)) out.push(`field ${k}=${v}`);
    out.push(
        says === null
            ? `expect doubt${o.doubt ? ` (${o.doubt})` : ''}`
            : `expect yes=${says.yes.join(',')} no=${says.no.join(',')}`,
        '',
    );
}

vector('tcf-all', 'tcf', tcf());
vector('tcf-all-publisher-segment', 'tcf', tcf({ publisher: true }));
vector('tcf-none', 'tcf', tcf({ purposes: [], features: [], vendors: [], vendorsLI: [] }));
vector('tcf-no-analytics', 'tcf', tcf({ purposes: [1, 2, 3, 4, 7] }));
vector('tcf-purpose-8-only', 'tcf', tcf({ purposes: [8] }));
vector('tcf-purpose-9-and-1', 'tcf', tcf({ purposes: [1, 9], features: [] }));
vector('tcf-special-feature-2-only', 'tcf', tcf({ features: [2] }));
vector('tcf-interest-unused', 'tcf', raw({ purposes: [1], interests: [8, 9] }));
vector('tcf-interest-allowed', 'tcf', raw({ purposes: [1], interests: [8, 9] }), { terms: { li: 1 } });
vector('tcf-interest-without-8-9', 'tcf', raw({ purposes: [1], interests: [7, 10] }), { terms: { li: 1 } });
vector('tcf-vendor-refused', 'tcf', tcf({ vendors: [1, 2, 3, 8] }));
vector('tcf-no-vendor-named', 'tcf', tcf(), { terms: { vendors: [] } });
vector('tcf-two-vendors-agreed', 'tcf', tcf({ vendors: [25, 755] }), { terms: { vendors: [25, 755] } });
vector('tcf-one-of-two-agreed', 'tcf', tcf({ vendors: [755] }), { terms: { vendors: [25, 755] } });
vector('tcf-vendor-undisclosed', 'tcf', raw({ disclosed: [1, 2, 3] }));
vector('tcf-disclosed-by-ranges', 'tcf', raw({ disclosed: [2, 3, 754, 755, 756] }));
vector('tcf-no-disclosed-segment', 'tcf', raw({ segments: ['core'], policy: 4 }));
vector(
    'tcf-segments-in-other-order',
    'tcf',
    raw({ segments: ['core', 'publisherTC', 'vendorsDisclosed'], publisher: true }),
);
vector(
    'tcf-allowed-segment',
    'tcf',
    raw({ segments: ['core', 'vendorsAllowed', 'vendorsDisclosed'], allowed: [1, 2] }),
);
vector('tcf-unknown-segment', 'tcf', raw({}) + '.oAAA');
vector('tcf-vendors-long-range', 'tcf', raw({ vendors: [...Array(900).keys()].map((i) => i + 1) }));
vector('tcf-vendors-scattered', 'tcf', raw({ vendors: [...Array(120).keys()].map((i) => i * 7 + 6) }), {
    terms: { vendors: [6, 13, 832] },
});
vector('tcf-vendor-1', 'tcf', raw({ vendors: [1], disclosed: [1] }), { terms: { vendors: [1] } });
vector('tcf-vendor-65535', 'tcf', raw({ vendors: [1, 65535], disclosed: [65535] }), {
    terms: { vendors: [65535] },
});
vector('tcf-restriction-0-on-1', 'tcf', raw({ restrictions: [[1, 0, [755]]] }));
vector('tcf-restriction-0-on-8', 'tcf', raw({ restrictions: [[8, 0, [755]]] }));
vector(
    'tcf-restriction-0-on-8-and-9',
    'tcf',
    raw({
        restrictions: [
            [8, 0, [755]],
            [9, 0, [500, 755]],
        ],
    }),
);
vector(
    'tcf-restriction-2-on-8-and-9',
    'tcf',
    raw({
        restrictions: [
            [8, 2, [755]],
            [9, 2, [755]],
        ],
    }),
);
vector(
    'tcf-restriction-1-on-8-and-9',
    'tcf',
    raw({
        restrictions: [
            [8, 1, [755]],
            [9, 1, [755]],
        ],
    }),
);
vector(
    'tcf-restriction-other-vendor',
    'tcf',
    raw({
        restrictions: [
            [1, 0, [1, 2, 3, 10]],
            [9, 0, [793]],
        ],
    }),
);
vector('tcf-one-treatment', 'tcf', raw({ set: { purposeOneTreatment: true, publisherCountryCode: 'DE' } }));
vector(
    'tcf-one-treatment-listed',
    'tcf',
    raw({ purposes: [8], set: { purposeOneTreatment: true, publisherCountryCode: 'DE' } }),
    { terms: { one: ['FR', 'DE'] } },
);
vector(
    'tcf-one-treatment-other-country',
    'tcf',
    raw({ set: { purposeOneTreatment: true, publisherCountryCode: 'DK' } }),
    { terms: { one: ['DE'] } },
);
vector('tcf-policy-4', 'tcf', raw({ policy: 4 }));
vector('tcf-policy-newer', 'tcf', raw({ policy: 6 }));
vector('tcf-policy-2', 'tcf', raw({ policy: 2 }));
vector('tcf-age-394-days', 'tcf', raw({ days: 394 }));
vector('tcf-age-395-days-and-half', 'tcf', raw({ days: 395 }));
vector('tcf-old-refusal', 'tcf', raw({ days: 900, purposes: [1] }));
vector('tcf-tomorrow', 'tcf', raw({ days: -1 }));
vector('tcf-in-two-days', 'tcf', raw({ days: -2 }), { future: true });
vector(
    'tcf-nonstandard-texts',
    'tcf',
    raw({ set: { useNonStandardStacks: true, consentScreen: 63, cmpVersion: 4095 } }),
);
vector('tcf-zero-tail', 'tcf', raw({}) + 'AAAA');
vector('tcf-entries-out-of-order', 'tcf', withVendors(idRange([[755], [1, 3]])));
vector('tcf-empty-range-list', 'tcf', withVendors(idRange([])));

const bad = (name, text, why, o = {}) => vector(name, 'tcf', text, { doubt: why, ...o });
bad('tcf-bad-empty', '', 'empty');
bad('tcf-bad-core-cut', raw({}).split('.')[0].slice(0, -8), 'bits short');
bad('tcf-bad-213-bits', toText(toBits(raw({}).split('.')[0]).slice(0, 213)), 'no vendors');
bad('tcf-bad-disclosed-cut', raw({}).slice(0, -6), 'bits short in a segment');
bad('tcf-bad-dot-at-end', raw({}) + '.', 'empty segment');
bad('tcf-bad-dot-first', '.' + raw({}), 'empty core');
bad('tcf-bad-padding', raw({}) + '=', 'not of the alphabet');
bad('tcf-bad-plus', raw({}).replace(/.$/, '+'), 'not of the alphabet');
bad('tcf-bad-space', ' ' + raw({}), 'not of the alphabet');
bad('tcf-bad-tail', raw({}).split('.')[0] + 'AB.' + raw({}).split('.')[1], 'rubbish after the end');
bad('tcf-bad-version-1', patch(raw({}), 0, int(1, 6)), 'version 1');
bad('tcf-bad-version-3', patch(raw({}), 0, int(3, 6)), 'version 3');
bad('tcf-bad-global-scope', patch(raw({}), 138, '0'), 'not service-specific');
bad('tcf-bad-cmp-id', patch(raw({}), 78, int(1, 12)), 'CMP ids begin at 2');
bad('tcf-bad-country', patch(raw({}), 201, int(30, 6)), 'no letter');
bad('tcf-bad-language', patch(raw({}), 108, int(63, 6)), 'no letter');
bad('tcf-bad-created-after-updated', patch(raw({}), 6, '1'), 'updated before it was made');
bad('tcf-bad-range-backwards', withVendors(idRange([[10, 2]])), 'a range ends before it starts');
bad('tcf-bad-range-past-max', withVendors(idRange([[700, 800]], 760)), 'a range past MaxVendorId');
bad('tcf-bad-id-past-max', withVendors(idRange([[755]], 754)), 'an id past MaxVendorId');
bad('tcf-bad-id-0', withVendors(idRange([[0], [755]])), 'id 0');
bad('tcf-bad-range-from-0', withVendors(idRange([[0, 755]])), 'id 0');
bad(
    'tcf-bad-too-many-entries',
    withVendors(int(1200, 16) + '1' + int(4000, 12) + '0' + int(755, 16)),
    'bits short',
);
bad('tcf-bad-max-too-high', withVendors(int(60000, 16) + '0' + '1'.repeat(800)), 'bits short');
bad(
    'tcf-bad-restriction-type',
    withVendors(
        idRange([[755]]),
        int(0, 17),
        int(1, 12) + int(8, 6) + '11' + int(1, 12) + '0' + int(755, 16),
    ),
    'restriction type 3',
);
bad(
    'tcf-bad-restriction-purpose-0',
    withVendors(
        idRange([[755]]),
        int(0, 17),
        int(1, 12) + int(0, 6) + '00' + int(1, 12) + '0' + int(755, 16),
    ),
    'purpose 0',
);
bad(
    'tcf-bad-restriction-purpose-25',
    withVendors(
        idRange([[755]]),
        int(0, 17),
        int(1, 12) + int(25, 6) + '01' + int(1, 12) + '0' + int(755, 16),
    ),
    'purpose 25',
);
bad(
    'tcf-bad-restriction-backwards',
    withVendors(
        idRange([[755]]),
        int(0, 17),
        int(1, 12) + int(8, 6) + '01' + int(1, 12) + '1' + int(755, 16) + int(2, 16),
    ),
    'a range ends before it starts',
);
bad('tcf-bad-disclosed-twice', raw({}) + '.' + raw({}).split('.')[1], 'a segment twice');
bad('tcf-bad-core-twice', raw({ segments: ['core', 'core'] }), 'a segment twice');
bad('tcf-bad-core-second', raw({}).split('.').reverse().join('.'), 'the core comes first');
bad(
    'tcf-bad-publisher-cut',
    raw({ segments: ['core', 'vendorsDisclosed', 'publisherTC'], publisher: true }).slice(0, -5),
    'bits short',
);
bad('tcf-bad-old-and-cut', raw({ days: 900 }).split('.')[0].slice(0, -6), 'bits short');

const g = (name, text, o) => vector(name, 'gpp', text, o);
g('gpp-none', gpp({}), {});
g('gpp-none-in-force', around({ 7: nat({ SaleOptOut: 1 }) }), { sid: '-1' });
g('gpp-usnat-plain', around({ 7: nat() }), { sid: '7' });
g('gpp-usnat-by-model', gpp({ usnat: { SaleOptOut: 1, SaleOptOutNotice: 1 } }), { sid: '7' });
g('gpp-usnat-sale', around({ 7: nat({ SaleOptOut: 1 }) }), { sid: '7' });
g('gpp-usnat-sharing', around({ 7: nat({ SharingOptOut: 1 }) }), {});
g('gpp-usnat-targeted', around({ 7: nat({ TargetedAdvertisingOptOut: 1 }) }), { sid: '7' });
g('gpp-usnat-geo-refused', around({ 7: nat({ SensitiveDataProcessing: list(16, { 8: 1 }) }) }), { sid: '7' });
g('gpp-usnat-geo-agreed', around({ 7: nat({ SensitiveDataProcessing: list(16, { 8: 2 }) }) }), { sid: '7' });
g(
    'gpp-usnat-geo-agreed-no-gpc-part',
    around({ 7: nat({ SensitiveDataProcessing: list(16, { 8: 2 }), GpcSegmentIncluded: false }) }),
    { sid: '7' },
);
g(
    'gpp-usnat-all-sensitive',
    around({ 7: nat({ SensitiveDataProcessing: list(16, {}).map((_, i) => (i * 2 + 1) % 3) }) }),
    { sid: '7' },
);
g('gpp-usnat-gpc', around({ 7: nat({ Gpc: true, SensitiveDataProcessing: list(16, { 8: 2 }) }) }), {
    sid: '7',
});
g('gpp-usnat-child-13', around({ 7: nat({ KnownChildSensitiveDataConsents: [1, 0, 0] }) }), { sid: '7' });
g('gpp-usnat-child-13-agreed', around({ 7: nat({ KnownChildSensitiveDataConsents: [2, 0, 0] }) }), {
    sid: '7',
});
g('gpp-usnat-child-under-13', around({ 7: nat({ KnownChildSensitiveDataConsents: [0, 2, 0] }) }), {
    sid: '7',
});
g('gpp-usnat-child-16', around({ 7: nat({ KnownChildSensitiveDataConsents: [0, 0, 1] }) }), { sid: '7' });
g(
    'gpp-usnat-version-1',
    around({ 7: nat({ Version: 1, SensitiveDataProcessing: list(16, { 8: 2 }), SharingOptOut: 1 }) }),
    { sid: '7' },
);
g(
    'gpp-usnat-version-1-child',
    around({ 7: nat({ Version: 1, KnownChildSensitiveDataConsents: [0, 1, 0] }) }),
    { sid: '7' },
);
g('gpp-usnat-version-3', around({ 7: nat({ Version: 3 }) }), { sid: '7' });
g('gpp-usca-plain', around({ 8: ca() }), { sid: '8' });
g('gpp-usca-sale', around({ 8: ca({ SaleOptOut: 1 }) }), { sid: '8' });
g('gpp-usca-sharing-no-gpc-part', around({ 8: ca({ SharingOptOut: 1, GpcSegmentIncluded: false }) }), {
    sid: '8',
});
g('gpp-usca-geo-refused', around({ 8: ca({ SensitiveDataProcessing: list(9, { 3: 1 }) }) }), { sid: '8' });
g('gpp-usca-geo-agreed', around({ 8: ca({ SensitiveDataProcessing: list(9, { 3: 2, 8: 1 }) }) }), {
    sid: '8',
});
g('gpp-usca-child', around({ 8: ca({ KnownChildSensitiveDataConsents: [0, 2] }) }), { sid: '8' });
g('gpp-usca-gpc', around({ 8: ca({ Gpc: true }) }), {});
g('gpp-uspv1-sale', around({ 6: '1YYN' }), { sid: '6' });
g('gpp-uspv1-kept', around({ 6: '1YNN' }), { sid: '6' });
g('gpp-tcf', around({ 2: tcf() }), { sid: '2' });
g('gpp-tcf-and-usp', around({ 2: tcf(), 6: '1YYN' }), {});
g('gpp-tcf-and-usp-only-tcf-in-force', around({ 2: tcf(), 6: '1YYN' }), { sid: '2' });
g('gpp-tcf-and-usnat', around({ 2: tcf(), 7: nat({ Gpc: true }) }), { sid: '2_7' });
g('gpp-tcf-and-usnat-no-gpc-part', around({ 2: tcf(), 7: nat({ GpcSegmentIncluded: false }) }), {
    sid: '2,7',
});
g('gpp-tcf-and-usnat-agreed', around({ 2: tcf(), 7: nat() }), { sid: '2,7' });
g('gpp-tcf-and-usva', around({ 2: tcf(), 9: us(iab.UsVa, {}) }), { sid: '2,9' });
g('gpp-two-states', around({ 7: nat(), 8: ca({ SensitiveDataProcessing: list(9, { 3: 2 }) }) }), {
    sid: '7,8',
});
g('gpp-usva', gpp({ usva: { SaleOptOut: 2 } }), { sid: '9' });
g('gpp-usco-gpc', gpp({ usco: { SaleOptOut: 2, Gpc: true, GpcSegmentIncluded: true } }), { sid: '10' });
g('gpp-usva-not-in-force', around({ 8: ca(), 9: us(iab.UsVa, { SaleOptOut: 1 }) }), { sid: '8' });
g(
    'gpp-all-states',
    around({
        7: nat(),
        8: ca(),
        9: us(iab.UsVa, {}),
        10: us(iab.UsCo, {}),
        12: us(iab.UsCt, {}),
        20: us(iab.UsNh, {}),
    }),
    {},
);
g('gpp-tcfca', gpp({ tcfcav1: { CmpId: 50, Created: new Date(ms(20)), LastUpdated: new Date(ms(20)) } }), {
    sid: '5',
});
g('gpp-surplus-a', around({ 7: nat() }).replace('~', 'A~'), { sid: '7' });

const gbad = (name, text, why, o = {}) => g(name, text, { doubt: why, ...o });
gbad('gpp-bad-empty', '', 'empty');
gbad('gpp-bad-header-only', around({ 7: nat() }).split('~')[0], 'a section is not there');
gbad('gpp-bad-section-blank', around({ 7: '' }), 'blank section');
gbad('gpp-bad-more-sections', around({ 7: nat() }) + '~' + ca(), 'more than the header names');
gbad('gpp-bad-sid-not-there', around({ 7: nat() }), 'section in force not there', { sid: '8' });
gbad('gpp-bad-sid-empty', around({ 7: nat() }), 'sid empty', { sid: '' });
gbad('gpp-bad-sid-words', around({ 7: nat() }), 'sid unreadable', { sid: 'usnat' });
gbad('gpp-bad-sid-mixed', around({ 7: nat() }), 'sid unreadable', { sid: '7,-1' });
gbad('gpp-bad-header-version', 'DCABLA~' + nat(), 'header version 2', { sid: '7' });
gbad('gpp-bad-header-type', 'CBABLA~' + nat(), 'no GPP header', { sid: '7' });
gbad('gpp-bad-header-padding', around({ 7: nat() }).replace('~', '=~'), 'not of the alphabet', { sid: '7' });
gbad('gpp-bad-usnat-cut', around({ 7: nat().split('.')[0].slice(0, -2) }), 'bits short', { sid: '7' });
gbad('gpp-bad-usnat-tail', around({ 7: nat().split('.')[0] + 'B' }), 'rubbish after the end', { sid: '7' });
gbad('gpp-bad-usnat-version-0', around({ 7: patch(nat(), 0, int(0, 6)) }), 'version 0', { sid: '7' });
gbad('gpp-bad-usnat-value-3', around({ 7: patch(nat(), 18, '11') }), 'value 3', { sid: '7' });
gbad('gpp-bad-gpc-type', around({ 7: nat().split('.')[0] + '.4A' }), 'unknown sub-section', { sid: '7' });
gbad('gpp-bad-gpc-twice', around({ 7: nat() + '.YA' }), 'sub-section twice', { sid: '7' });
gbad('gpp-bad-gpc-blank', around({ 7: nat().split('.')[0] + '.' }), 'blank sub-section', { sid: '7' });
gbad('gpp-bad-uspv1', around({ 6: '2YNN' }), 'version 2', { sid: '6' });
gbad('gpp-bad-tcf', around({ 2: raw({}).slice(0, -6) }), 'bits short', { sid: '2' });
gbad('gpp-bad-tcf-not-in-force', around({ 2: 'C+', 6: '1YNN' }), 'not of the alphabet', { sid: '6' });
writeFileSync(join(here, 'vectors.txt'), out.join('\n'));

// ---- mutated strings: an edit of a base, and what the IAB's decoder makes of it ----
let state = 20261121n;
const random = (n) => {
    state = (state * 6364136223846793005n + 1442695040888963407n) & 0xffffffffffffffffn;
    return Number((state >> 33n) % BigInt(n));
};
const bases = [
    ['tcf', raw({ vendors: [1, 2, 3, 8, 10, 12], disclosed: [2, 8, 10, 12] })],
    [
        'tcf',
        raw({
            vendors: [8, 1000],
            disclosed: [8, 9, 10, 1000],
            restrictions: [[9, 0, [10, 11]]],
            publisher: true,
            segments: ['core', 'vendorsDisclosed', 'publisherTC'],
        }),
    ],
    ['tcf', raw({ purposes: [1, 9], features: [], vendors: [8], vendorsLI: [], disclosed: [8] })],
    ['tcf', raw({ purposes: [], features: [], vendors: [], vendorsLI: [], disclosed: [8] })],
    ['gpp', around({ 7: nat({ SensitiveDataProcessing: list(16, { 8: 2 }) }) })],
    ['gpp', around({ 7: nat({ Version: 1, SensitiveDataProcessing: list(16, { 8: 2 }), SaleOptOut: 1 }) })],
    ['gpp', around({ 8: ca({ SensitiveDataProcessing: list(9, { 3: 2 }), Gpc: true }) })],
    ['gpp', around({ 6: '1YNN', 7: nat(), 8: ca({ SensitiveDataProcessing: list(9, { 3: 2 }) }) })],
];
const mutTerms = { ...TERMS, vendors: [8] };
const lines = [`terms now=${NOW_S} li=0 vendors=8 one=`, ...bases.map(([k, t]) => `base ${k} ${t}`)];
const count = Number(process.env.MUTATIONS ?? 6000);
for (let i = 0; i < count; i++) {
    const at = random(bases.length),
        [kind, base] = bases[at],
        pos = random(base.length);
    const op = 'ssssidt'[random(7)],
        c = random(8) === 0 ? '.~=+'[random(4)] : Base64Url.DICT[random(64)];
    const text =
        base.slice(0, pos) +
        (op === 's' || op === 'i' ? c : '') +
        (op === 't' ? '' : base.slice(op === 'i' ? pos : pos + 1));
    const r = read(kind, text, undefined, mutTerms);
    const set = (names) => names.reduce((bits, n) => bits | (1 << ALL.indexOf(n)), 0);
    const verdict = r.says === null ? 'x' : `${set(r.says.yes)}/${set(r.says.no)}`;
    lines.push(`${at} ${op} ${pos} ${op === 's' || op === 'i' ? c : '_'} ${verdict}`);
}
writeFileSync(join(here, 'mutated.txt'), lines.join('\n') + '\n');
console.log(`${seen.size} vectors, ${count} mutations`);
