import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';

interface Package {
  version?: string;
  resolved?: string;
  optionalDependencies?: Record<string, string>;
}

const text = readFileSync(new URL('../package-lock.json', import.meta.url), 'utf8');
const { packages } = JSON.parse(text) as { packages: Record<string, Package> };

describe('the lock file', () => {
  it('names no registry: each machine asks its own', () => {
    expect(Object.values(packages).filter((p) => p.resolved !== undefined)).toEqual([]);
    expect(text).not.toMatch(/https?:\/\/[^"]*\.tgz/);
  });

  // A registry that lacks a platform's package makes `npm install` leave it out, and `npm ci` fails everywhere from then on.
  it('holds the tools for every platform, so that `npm ci` finds it whole', () => {
    for (const [name, { optionalDependencies }] of Object.entries(packages)) {
      for (const dependency of Object.keys(optionalDependencies ?? {})) {
        const found = packages[`node_modules/${dependency}`] ?? packages[`${name}/node_modules/${dependency}`];
        expect(found?.version, `${dependency} of ${name}`).toBeDefined();
      }
    }
  });
});
