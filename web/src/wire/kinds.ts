export type FieldType = 'boolean' | 'integer' | 'float' | 'text' | 'json';

export const FIELD_KINDS = [
  'measure',
  'counter',
  'state',
  'boolean',
  'latitude',
  'longitude',
  'text',
  'identifier',
] as const;
export type FieldKind = (typeof FIELD_KINDS)[number];
