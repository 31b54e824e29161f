// Three unlike datasets as functions of time, so that any stretch of the past can be computed and nothing is stored.

const wave = (t, seconds, phase = 0) => Math.sin((t / 1e6 / seconds) * 2 * Math.PI + phase);

/** Smooth noise, the same for the same time: -1 … 1. */
function noise(t, seconds, seed) {
  const x = t / 1e6 / seconds + seed * 17.31;
  const at = Math.floor(x);
  const hash = (n) => {
    const s = Math.sin(n * 127.1 + seed * 311.7) * 43758.5453;
    return 2 * (s - Math.floor(s)) - 1;
  };
  const f = x - at;
  const smooth = f * f * (3 - 2 * f);
  return hash(at) * (1 - smooth) + hash(at + 1) * smooth;
}

const round = (value, digits) => Number(value.toFixed(digits));

function field(name, type, unit, kind, value, options = {}) {
  return {
    name,
    label: options.label ?? name.replaceAll('_', ' '),
    type,
    unit,
    kind,
    group: options.group ?? '',
    value,
  };
}

const measure = (name, unit, value, options) => field(name, 'float', unit, 'measure', value, options);

/** A drive: throttle and brake alternate, speed follows. */
function drive(t, d) {
  const throttle = Math.max(0, wave(t, 47 + d * 9, d) + 0.5 * noise(t, 3, 5 + d));
  const brake = throttle > 0.05 ? 0 : Math.max(0, -noise(t, 4, 9 + d));
  const speed = Math.max(0, 14 + 12 * wave(t, 47 + d * 9, d - 0.9) + 1.2 * noise(t, 2, 3));
  return { throttle, brake, speed };
}

const vehicle = {
  name: '1',
  topic: '1',
  label: 'citronnault Pipo',
  prototype: 'X46789',
  period: 100_000,
  devices: ['X46789', 'X46789-2'],
  fields: [
    field('code', 'text', '', 'identifier', (_t, d) => ['X46789', 'X46789-2'][d]),
    measure('gpsSpeed', '', (t, d) => round(drive(t, d).speed, 2)),
    measure('gpsSatCount', '', (t, d) => Math.round(9 + 3 * noise(t, 40, 2 + d))),
    measure('Gear', '', (t, d) => 124 + Math.round(Math.min(drive(t, d).speed / 5, 6))),
    measure('Brake_pedal', '', (t, d) => Math.round(131 * drive(t, d).brake)),
    measure('Accel_pedal', '', (t, d) => Math.round(131 * drive(t, d).throttle)),
    measure('Machine_Speed_Mesured', '', (t, d) => round(drive(t, d).speed * 0.98, 1)),
    measure('AST_Direction', '', (t, d) => round(20 * wave(t, 21, d), 1)),
    measure('Ast_HPMB1_Pressure_bar', 'bar', (t, d) => round(20 + 6 * noise(t, 5, 11 + d), 1)),
    // A sentinel: the bus sends 255 while the sensor has no reading.
    measure('Ast_HPMA_Pressure_bar', 'bar', (t, d) =>
      t % 61e6 < 1.5e6 ? 255 : round(21 + 5 * noise(t, 6, 12 + d), 1),
    ),
    measure('Pressure_HighPressureReturn', '', (t, d) => Math.round(32_826 + 40 * noise(t, 8, 13 + d))),
    measure('Pressure_HighPressure', '', (t, d) =>
      Math.round(32_900 + 900 * drive(t, d).throttle + 30 * noise(t, 1, 14)),
    ),
    measure('Oil_Temperature', '°C', (t, d) => round(58 + 4 * noise(t, 90, 15 + d), 1)),
    measure('Ast_FrontAxleSpeed_Rpm', 'rpm', (t, d) => round(32_767 + 25 * drive(t, d).speed, 1)),
    measure('Pump_Speed', 'rpm', (t, d) => round(894 + 700 * drive(t, d).throttle + 12 * noise(t, 0.7, 16), 1)),
  ],
};

const OBD = [
  ['Engine RPM', 'rpm', (t) => Math.round(820 + 2_300 * drive(t, 3).throttle + 40 * noise(t, 2, 20))],
  ['Speed (OBD)', 'km/h', (t) => Math.round(3.6 * drive(t, 3).speed)],
  ['Engine Load', '%', (t) => round(18 + 60 * drive(t, 3).throttle, 1)],
  ['Engine Coolant Temperature', '°C', (t) => Math.round(88 + 3 * noise(t, 120, 22))],
  ['Engine Oil Temperature', '°C', (t) => Math.round(94 + 5 * noise(t, 200, 23))],
  ['Intake Air Temperature', '°C', (t) => Math.round(24 + 4 * noise(t, 90, 24))],
  ['Intake Manifold Pressure', 'kPa', (t) => Math.round(34 + 60 * drive(t, 3).throttle)],
  ['Mass Air Flow Rate', 'g/s', (t) => round(4 + 30 * drive(t, 3).throttle, 2)],
  ['Throttle Position(Manifold)', '%', (t) => round(12 + 70 * drive(t, 3).throttle, 1)],
  ['Timing Advance', '°', (t) => round(14 + 12 * noise(t, 6, 25), 1)],
  ['Fuel Rail Pressure', 'kPa', (t) => Math.round(3_500 + 120 * noise(t, 30, 26))],
  ['Fuel Trim Bank 1 Short Term', '%', (t) => round(4 * noise(t, 4, 27), 2)],
  ['Fuel Trim Bank 1 Long Term', '%', (t) => round(-1.5 + 1.2 * noise(t, 60, 28), 2)],
  ['Fuel flow rate/minute', 'cc/min', (t) => round(12 + 130 * drive(t, 3).throttle, 1)],
  ['O2 Sensor1 Equivalence Ratio', 'λ', (t) => round(1 + 0.05 * noise(t, 3, 29), 3)],
  ['O2 Sensor1 wide-range Voltage', 'V', (t) => round(2 + 0.4 * noise(t, 3, 30), 3)],
  ['Catalyst Temperature', '°C', (t) => Math.round(520 + 80 * noise(t, 80, 31))],
  ['CO₂ in g/km (Instantaneous)', 'g/km', (t) => round(120 + 90 * drive(t, 3).throttle, 1)],
  ['Trip Distance', 'km', (t) => round((t / 1e6 / 60) % 200, 3)],
  ['Horsepower (At the wheels)', 'hp', (t) => round(70 * drive(t, 3).throttle, 1)],
  ['Torque', 'Nm', (t) => round(140 * drive(t, 3).throttle, 1)],
  ['Voltage (OBD Adapter)', 'V', (t) => round(14.1 + 0.2 * noise(t, 20, 32), 2)],
  ['Voltage (Control Module)', 'V', (t) => round(14 + 0.2 * noise(t, 20, 33), 2)],
  ['GPS Altitude', 'm', (t) => round(180 + 60 * noise(t, 300, 34), 1)],
  ['GPS Bearing', '°', (t) => round(180 + 170 * noise(t, 60, 35), 1)],
  ['GPS Accuracy', 'm', (t) => round(4 + 2 * noise(t, 15, 36), 1)],
  ['G(x)', 'g', (t) => round(0.2 * noise(t, 2, 37), 3)],
  ['G(y)', 'g', (t) => round(0.1 * noise(t, 2, 38), 3)],
  ['G(z)', 'g', (t) => round(0.98 + 0.05 * noise(t, 1, 39), 3)],
  ['G(calibrated)', 'g', (t) => round(0.1 * noise(t, 2, 40), 3)],
];
const OBD_SPARSE = [
  'EGR Commanded',
  'EGR Error',
  'Barometric pressure',
  'Ambient air temp',
  'Fuel Level',
  'Run time since start',
  'Acceleration Pedal D',
  'Acceleration Pedal E',
  'Relative Throttle',
  'Absolute Load',
];
const OBD_EMPTY = [
  'DPF Pressure',
  'DPF Temperature',
  'Hybrid Battery Charge',
  'Turbo Boost',
  'Transmission Temperature',
  'EGT Bank 1 Sensor 1',
  'EGT Bank 1 Sensor 2',
  'EGT Bank 2 Sensor 1',
  'NOx Pre SCR',
  'NOx Post SCR',
  'Charge air cooler temperature',
  'Ethanol Fuel',
  'Evap System Vapour Pressure',
  'Fuel Trim Bank 2 Short Term',
  'Fuel Trim Bank 2 Long Term',
  'O2 Sensor2 Voltage',
  'Rail Pressure (relative)',
  'Drivers demand torque',
];

const corolla = {
  name: '2',
  topic: '2',
  label: 'Toyota Corolla',
  prototype: 'X46790',
  period: 1_000_000,
  devices: ['X46790'],
  fields: [
    field('Longitude', 'float', '°', 'longitude', (t) =>
      round(28.97 + 0.08 * wave(t, 1_900) + 0.01 * noise(t, 200, 50), 6),
    ),
    field('Latitude', 'float', '°', 'latitude', (t) =>
      round(41.02 + 0.05 * wave(t, 2_600, 1.2) + 0.008 * noise(t, 170, 51), 6),
    ),
    ...OBD.map(([name, unit, value]) => measure(name, unit, value, { label: name })),
    // Polled in turn: each of these has a value in every fifth row only.
    ...OBD_SPARSE.map((name, i) =>
      measure(
        name,
        i % 2 ? '%' : 'kPa',
        (t) => (Math.round(t / 1e6) % 5 === i % 5 ? round(50 + 30 * noise(t, 40, 60 + i), 1) : null),
        { label: name },
      ),
    ),
    ...OBD_EMPTY.map((name) => measure(name, 'kPa', () => null, { label: name })),
  ],
};

const CONDITIONS = ['calm', 'breeze', 'gusty', 'storm'];
const wind = (t, d) => Math.max(0.2, 6 + 5 * noise(t, 35, 70 + d) + 1.5 * noise(t, 3, 71 + d));

const mast = {
  name: 'mast',
  topic: 'mast',
  label: 'Weather mast',
  prototype: 'MAST-80',
  period: 1_000_000,
  devices: ['mast-north', 'mast-south', 'mast-ridge'],
  fields: [
    measure('wind_speed_80m', 'm/s', (t, d) => round(wind(t, d), 2), { group: 'Wind' }),
    measure('wind_speed_40m', 'm/s', (t, d) => round(0.85 * wind(t, d), 2), { group: 'Wind' }),
    measure('wind_direction', '°', (t, d) => round((220 + 60 * noise(t, 80, 75 + d) + 360) % 360, 0), {
      group: 'Wind',
    }),
    measure('air_temperature', '°C', (t, d) => round(11 - d + 3 * wave(t, 3_600) + 0.2 * noise(t, 20, 76 + d), 2), {
      group: 'Air',
    }),
    measure('relative_humidity', '%', (t, d) => round(72 + 12 * noise(t, 240, 79 + d), 1), { group: 'Air' }),
    measure('air_pressure', 'hPa', (t, d) => round(1_009 + 2 * noise(t, 900, 80 + d), 2), { group: 'Air' }),
    measure('solar_irradiance', 'W/m²', (t, d) => round(Math.max(0, 420 + 300 * noise(t, 50, 82 + d)), 1), {
      group: 'Radiation',
    }),
    measure('rain_total', 'mm', (t) => round((t / 1e6 / 3_600) % 40, 3), { group: 'Rain' }),
    field(
      'condition',
      'text',
      '',
      'state',
      (t, d) => CONDITIONS[Math.min(3, Math.floor(wind(t - (t % 7e6), d) / 3.5))],
    ),
    field('heater_on', 'boolean', '', 'boolean', (t, d) => noise(t - (t % 3e6), 25, 85 + d) > 0.2),
    field('door_open', 'boolean', '', 'boolean', (t, d) => noise(t - (t % 5e6), 60, 88 + d) > 0.8),
  ],
};

export const DATASETS = [vehicle, corolla, mast];

const MOST_TICKS = 6_000;

/** Rows of every device with from ≤ time < to, in time order: { time, device, values }. One device was silent for 20 s of each 150 s. */
export function rowsOf(dataset, from, to) {
  const rows = [];
  // A long stretch is computed at every n-th tick only, or one question would hold up the live frames for seconds.
  const stride = Math.max(1, Math.ceil((to - from) / dataset.period / MOST_TICKS));
  const first = Math.ceil(from / dataset.period / stride) * stride;
  for (let tick = first; tick * dataset.period < to; tick += stride) {
    for (let d = 0; d < dataset.devices.length; d++) {
      const time = tick * dataset.period + d * 7_000;
      if (d === 1 && time % 150e6 < 20e6) continue;
      if (time < to && time >= from)
        rows.push({ time, device: d, values: dataset.fields.map((f) => f.value(time, d)) });
    }
  }
  return rows;
}
