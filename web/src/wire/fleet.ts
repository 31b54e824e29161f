// Simulations, and the server's own state.

import { call, path, type Reply } from './call';

export interface Simulation {
  id: number;
  prototype: string;
  dataset: string;
  state: 'running' | 'paused' | 'finished' | 'failed';
  problem?: string;
  /** A duration, or "recorded". */
  period: string;
  speed: number;
  loop: boolean;
  transport: string;
  seed: number;
  devices: string[];
  expected_rate: number;
  sent: number;
  acknowledged: number;
  refused: number;
  dropped: number;
  loops: number;
  lateness_us_max: number;
}

export interface SimulationChange {
  state?: 'running' | 'paused';
  speed?: number;
  period?: string;
  devices?: number;
}

export interface NewSimulation {
  prototype: string;
  period?: string;
  speed?: number;
  devices?: number;
  loop?: boolean;
}

export function getSimulations(signal?: AbortSignal): Promise<Reply<{ simulations: Simulation[] }>> {
  return call('/api/v1/simulations', { signal });
}

export function changeSimulation(id: number, change: SimulationChange): Promise<Reply<Simulation>> {
  return call(path('/simulations/{}', id), { method: 'PATCH', json: change });
}

export function addSimulation(simulation: NewSimulation): Promise<Reply<Simulation>> {
  return call('/api/v1/simulations', { method: 'POST', json: simulation });
}

export function deleteSimulation(id: number): Promise<Reply<null>> {
  return call(path('/simulations/{}', id), { method: 'DELETE' });
}

export interface Viewer {
  id: number;
  remote: string;
  subscriptions: number;
  frames: number;
  rows: number;
  merged: number;
}

export interface MqttClient {
  client: string;
  remote: string;
  version: string;
  subscriptions: number;
  published: number;
  delivered: number;
}

export interface SlowQuery {
  /** µs since the epoch: when it ended. */
  time: number;
  kind: string;
  /** The dataset, or the beginning of the statement. */
  query: string;
  ms: number;
  rows: number;
  /** Why it was not answered. */
  outcome?: string;
}

export interface ServerStatus {
  version: string;
  ready: boolean;
  /** µs since the epoch. */
  started: number;
  uptime_s: number;
  data_dir: string;
  datasets: { dataset: string; events: number; rate: number }[];
  rates: { events_per_s: number; events: number };
  latency_ms: { p50: number | null; p99: number | null };
  memory: { rss_bytes: number; rss_bytes_max: number };
  cpu_seconds: number;
  threads: number;
  open_files: number;
  viewers: Viewer[];
  mqtt?: MqttClient[];
  slow_queries?: SlowQuery[];
}

export function getStatus(signal?: AbortSignal): Promise<Reply<ServerStatus>> {
  return call('/api/v1/status', { signal });
}

export function getMetrics(signal?: AbortSignal): Promise<Reply<string>> {
  return call('/metrics', { signal, read: (text) => text });
}
