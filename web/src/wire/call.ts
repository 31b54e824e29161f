// One way to ask the server for anything: a failure is a value, with the server's own sentence.

/** `offset` and `length` are characters of the text that was refused, where the server says so. */
export interface Failure {
  ok: false;
  /** HTTP status; 0 when there was no answer. */
  status: number;
  detail: string;
  aborted: boolean;
  /** The whole problem document. */
  problem: Record<string, unknown>;
}

export type Reply<T> = { ok: true; status: number; value: T } | Failure;

export interface CallOptions {
  method?: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** Sent as JSON. */
  json?: unknown;
  /** Sent as it is, with `type`. */
  body?: BodyInit;
  type?: string;
  signal?: AbortSignal | undefined;
  /** Reads the answer's text; JSON.parse by default. */
  read?: (text: string) => unknown;
}

export function failure(status: number, detail: string, problem: Record<string, unknown> = {}): Failure {
  return { ok: false, status, detail, aborted: false, problem };
}

function bodyOf(options: CallOptions): { body?: BodyInit; headers: Record<string, string> } {
  const headers: Record<string, string> = { accept: 'application/json' };
  if (options.json !== undefined) {
    headers['content-type'] = 'application/json';
    return { body: JSON.stringify(options.json), headers };
  }
  if (options.body === undefined) return { headers };
  headers['content-type'] = options.type ?? 'application/octet-stream';
  return { body: options.body, headers };
}

function problemOf(status: number, text: string): Failure {
  try {
    const problem = JSON.parse(text) as Record<string, unknown>;
    const detail = problem.detail ?? problem.title;
    return failure(status, typeof detail === 'string' ? detail : `${status}`, problem);
  } catch {
    return failure(status, text === '' ? `${status}` : text.slice(0, 300));
  }
}

/** Asks; the answer's body is read by `options.read`, an empty one is null. Never throws. */
export async function call<T>(path: string, options: CallOptions = {}): Promise<Reply<T>> {
  const { body, headers } = bodyOf(options);
  try {
    const response = await fetch(path, {
      method: options.method ?? 'GET',
      headers,
      ...(body === undefined ? {} : { body }),
      ...(options.signal ? { signal: options.signal } : {}),
    });
    const text = await response.text();
    if (!response.ok) return problemOf(response.status, text);
    const read = options.read ?? JSON.parse;
    return { ok: true, status: response.status, value: (text === '' ? null : read(text)) as T };
  } catch (error) {
    const aborted = error instanceof DOMException && error.name === 'AbortError';
    return { ...failure(0, error instanceof Error ? error.message : String(error)), aborted };
  }
}

const part = encodeURIComponent;

/** A path with each `{}` replaced by the next of `parts`, escaped. */
export function path(pattern: string, ...parts: (string | number)[]): string {
  let next = 0;
  return `/api/v1${pattern.replace(/\{\}/g, () => part(String(parts[next++])))}`;
}

/** Query parameters; those that are undefined, null or '' are left out. */
export function query(values: Record<string, string | number | boolean | null | undefined>): string {
  const parameters = new URLSearchParams();
  for (const [name, value] of Object.entries(values)) {
    if (value === undefined || value === null || value === '') continue;
    parameters.set(name, typeof value === 'number' ? String(Math.round(value)) : String(value));
  }
  const text = parameters.toString();
  return text === '' ? '' : `?${text}`;
}

/** Names as a list parameter: a comma inside a name is written with a backslash before it. */
export function listOf(names: readonly string[]): string {
  return names.map((name) => name.replaceAll(',', '\\,')).join(',');
}
