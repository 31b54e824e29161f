// What this server can do, read once from its own description. A question for what it cannot do is never sent.

import { call } from './call';

interface Operation {
  parameters?: { name?: string }[];
}

interface Description {
  paths: Record<string, Record<string, Operation>>;
}

let asked: Promise<Description | null> | null = null;

async function ask(): Promise<Description | null> {
  const answer = await call<Description>('/api/v1/openapi.json');
  // An answer that did not come is asked for again the next time.
  if (!answer.ok) asked = null;
  return answer.ok ? answer.value : null;
}

/** Whether the description names this route, and with `parameter` whether the route takes it. `route` is below /api/v1. */
export async function offers(method: string, route: string, parameter?: string): Promise<boolean> {
  asked ??= ask();
  const description = await asked;
  const operation = description?.paths[`/api/v1${route}`]?.[method];
  if (operation === undefined) return false;
  return parameter === undefined || (operation.parameters ?? []).some((p) => p.name === parameter);
}
