import { describe, expect, test } from "bun:test";
import * as fc from "fast-check";
import { createClearForm, createSealedForm, type EntryForm } from "../../src/cache/entry-form.ts";
import { claimName } from "../../src/cache/turn.ts";
import { systemRandom } from "../../src/lib/random.ts";
import { createAead } from "../../src/tink/create-aead.ts";
import { createKeyset } from "../../src/tink/edit-keyset.ts";
import { KEY_TEMPLATES } from "../../src/tink/key-templates.ts";
import { VendedToken } from "../../src/token/vended-token.ts";
import type { AuthorizedRequest } from "../../src/vending/authorize.ts";
import { cacheKey } from "../../src/vending/cache-key.ts";
import { callerScopeOf } from "../../src/vending/canonical-profile.ts";
import { codecFor } from "../../src/vending/describe-token.ts";
import { authorizedRequest, WEB } from "../support/authorized-requests.ts";
import { createFixedClock } from "../support/fixed-clock.ts";

const RUNS = { numRuns: 3_000 };
const clock = createFixedClock();
const prefix = fc.constantFrom("", "blue:", "enc:", "claim:", ":", "a");
const token = fc
  .string({ unit: fc.constantFrom("a", "b", "X", "Z", "0", "9", "_"), minLength: 1, maxLength: 40 })
  .map((text) => `ghs_${text}`);

const keyOf = (request: AuthorizedRequest) => cacheKey(request, WEB.host).text;
const codecOf = (request: AuthorizedRequest) => codecFor(request, WEB, clock.nowMs);
const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

/** Everything that decides what GitHub is asked for, but for a pipeline's own repository. */
function decisiveParts({ policyDigest, app, identity, profile, target }: AuthorizedRequest): readonly unknown[] {
  const { organizationSlug, pipelineId, pipelineSlug } = identity;
  const common = [policyDigest, app.appId, app.installationId, profile.kind, organizationSlug, profile.name];
  return profile.kind === "pipeline"
    ? [...common, pipelineId, pipelineSlug]
    : [...common, callerScopeOf(target)?.toLowerCase()];
}

/** What the text of an entry can tell of the request it was made for. */
function visibleParts({ app, identity, profile, target }: AuthorizedRequest): readonly unknown[] {
  const reach =
    target.kind === "pipeline"
      ? undefined
      : target.repositories.kind === "all"
        ? "all"
        : target.repositories.names.map((name) => name.toLowerCase()).toSorted();
  return [
    app.appId,
    app.installationId,
    identity.organizationSlug,
    profile.kind,
    profile.name,
    callerScopeOf(target)?.toLowerCase(),
    profile.permissions.names.toSorted(),
    reach,
  ];
}

function entryOf(request: AuthorizedRequest, text: string): string {
  const url = request.target.kind === "pipeline" ? "https://github.com/acme/widget.git" : "";
  return codecOf(request).encode(new VendedToken(text, clock.nowMs() / 1000 + 3600, url));
}

function read(form: EntryForm, request: AuthorizedRequest, stored: Uint8Array): VendedToken | undefined {
  const opened = form.open(keyOf(request), stored);
  if (opened.kind === "unused") return undefined;
  const decoded = codecOf(request).decode(opened.text);
  return decoded.kind === "value" ? decoded.value : undefined;
}

function sealedForm(keyPrefix: string, template: (typeof KEY_TEMPLATES)[number]): EntryForm {
  const aead = createAead(createKeyset(template, systemRandom));
  return createSealedForm({ keyPrefix, currentAead: () => aead, clock, observer: { ciphered: () => undefined } });
}

describe("cache keys", () => {
  test("are the same for two requests exactly when everything that decides what GitHub is asked for is", () => {
    let shared = 0;
    fc.assert(
      fc.property(authorizedRequest, authorizedRequest, fc.boolean(), (one, other, twin) => {
        const second = twin ? { ...one, app: other.app } : other;
        const same = Bun.deepEquals(decisiveParts(one), decisiveParts(second));
        if (same) shared += 1;
        expect(keyOf(one) === keyOf(second)).toBe(same);
      }),
      RUNS,
    );
    expect(shared).toBeGreaterThan(50);
  });

  test("of another repository host are nobody else's", () => {
    fc.assert(
      fc.property(authorizedRequest, authorizedRequest, (one, other) => {
        expect(cacheKey(one, "ghe.example:8443").text).not.toBe(keyOf(other));
      }),
      RUNS,
    );
  });

  // Whatever prefixes deployments on one server have: a claim over an entry would destroy it.
  test("are never the name of a claim", () => {
    const form = fc.tuple(prefix, fc.constantFrom("", "enc:")).map((parts) => parts.join(""));
    fc.assert(
      fc.property(authorizedRequest, authorizedRequest, form, form, (one, other, first, second) => {
        expect(claimName(first + keyOf(one))).not.toBe(second + keyOf(other));
      }),
      RUNS,
    );
  });
});

describe("a stored entry", () => {
  test("serves the request it was made for", () => {
    fc.assert(
      fc.property(authorizedRequest, token, prefix, (request, text, keyPrefix) => {
        const form = createClearForm(keyPrefix);
        const stored = bytes(form.seal(keyOf(request), entryOf(request, text)));
        expect(read(form, request, stored)?.token).toBe(text);
      }),
      RUNS,
    );
  });

  test("in clear serves no request that differs in organization, profile, App, permissions or repositories", () => {
    fc.assert(
      fc.property(authorizedRequest, authorizedRequest, fc.boolean(), token, (one, other, twin, text) => {
        const second = twin ? { ...one, identity: other.identity } : other;
        const served = read(createClearForm(""), second, bytes(entryOf(one, text)));
        expect(served !== undefined).toBe(Bun.deepEquals(visibleParts(one), visibleParts(second)));
      }),
      RUNS,
    );
  });

  test("that is sealed serves no request with another key, for every kind of key", () => {
    for (const template of KEY_TEMPLATES) {
      const form = sealedForm("", template);
      fc.assert(
        fc.property(authorizedRequest, authorizedRequest, token, (one, other, text) => {
          const served = read(form, other, bytes(form.seal(keyOf(one), entryOf(one, text))));
          if (keyOf(one) !== keyOf(other)) expect(served).toBeUndefined();
        }),
        { numRuns: 300 },
      );
    }
  });

  test("that is sealed is a miss after any change or cut", () => {
    const form = sealedForm("", KEY_TEMPLATES[0]!);
    fc.assert(
      fc.property(authorizedRequest, token, fc.nat(), fc.integer({ min: 1, max: 255 }), (request, text, at, change) => {
        const stored = bytes(form.seal(keyOf(request), entryOf(request, text)));
        const place = at % stored.length;
        const changed = Uint8Array.from(stored);
        changed[place] = (changed[place] ?? 0) ^ change;
        // White space in base64 is nothing, so a changed character that becomes white space is a cut.
        expect(read(form, request, changed)).toBeUndefined();
        expect(read(form, request, stored.subarray(0, place))).toBeUndefined();
      }),
      RUNS,
    );
  });

  test("in clear is a miss after any cut, and no change alters the token", () => {
    fc.assert(
      fc.property(authorizedRequest, token, fc.nat(), fc.integer({ min: 1, max: 255 }), (request, text, at, change) => {
        const stored = bytes(entryOf(request, text));
        const place = at % stored.length;
        const changed = Uint8Array.from(stored);
        changed[place] = (changed[place] ?? 0) ^ change;
        expect(read(createClearForm(""), request, stored.subarray(0, place))).toBeUndefined();
        expect([text, undefined]).toContain(read(createClearForm(""), request, changed)?.token);
      }),
      RUNS,
    );
  });

  test("of whatever bytes never throws, and is a miss", () => {
    const forms = [createClearForm(""), sealedForm("", KEY_TEMPLATES[0]!)];
    const anything = fc.oneof(
      fc.uint8Array({ maxLength: 500 }),
      fc.json().map(bytes),
      fc.base64String().map((text) => bytes(`cb-enc:${text}`)),
    );
    fc.assert(
      fc.property(authorizedRequest, anything, (request, stored) => {
        for (const form of forms) expect(read(form, request, stored)).toBeUndefined();
      }),
      RUNS,
    );
  });
});
