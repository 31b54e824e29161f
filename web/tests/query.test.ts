import { describe, expect, it } from 'vitest';
import {
  accept,
  check,
  complete,
  faultOf,
  type KnownField,
  quoteField,
  quoteValue,
  tokens,
} from '../src/query/complete';
import { pieces } from '../src/screens/explore/query-bar';

const FIELDS: KnownField[] = [
  { name: 'oil_temperature', type: 'float', unit: '°C', values: ['95', '96'] },
  { name: 'gear', type: 'integer', unit: '', values: ['126', '4'] },
  { name: 'Speed (OBD)(km/h)', type: 'float', unit: 'km/h', values: [] },
  { name: 'mode', type: 'text', unit: '', values: ['eco', 'power plus', "driver's"] },
  { name: 'pump', type: 'boolean', unit: '', values: [] },
  { name: 'time', type: 'time', unit: '', values: [] },
  { name: 'device', type: 'text', unit: '', values: ['boiler 7'] },
];

function offered(text: string, caret = text.length): string[] {
  return complete(text, caret, FIELDS).options.map((o) => o.insert);
}

describe('tokens of a filter', () => {
  it('are words, quoted texts, comparisons and brackets, with their places', () => {
    expect(tokens(`a >= "b ""c" and (d in ('e'))`).map((t) => [t.kind, t.text, t.from, t.to])).toEqual([
      ['word', 'a', 0, 1],
      ['compare', '>=', 2, 4],
      ['quoted', 'b "c', 5, 12],
      ['word', 'and', 13, 16],
      ['open', '(', 17, 18],
      ['word', 'd', 18, 19],
      ['word', 'in', 20, 22],
      ['open', '(', 23, 24],
      ['quoted', 'e', 24, 27],
      ['close', ')', 27, 28],
      ['close', ')', 28, 29],
    ]);
  });

  it('cover every character that is not blank, whatever is typed', () => {
    let seed = 7;
    const random = () => {
      seed = (seed * 1_103_515_245 + 12_345) % 2_147_483_648;
      return seed / 2_147_483_648;
    };
    const alphabet = 'ab "\'`()=<>!,. é😀\t';
    for (let n = 0; n < 400; n++) {
      let text = '';
      for (let i = Math.floor(random() * 24); i > 0; i--) text += alphabet[Math.floor(random() * alphabet.length)];
      let at = 0;
      for (const token of tokens(text)) {
        if (text.slice(at, token.from).trim() !== '' || token.to <= token.from) throw new Error(JSON.stringify(text));
        at = token.to;
      }
      expect(text.slice(at).trim()).toBe('');
      // Neither may throw, and offers stand inside the text.
      check(text);
      const completion = complete(text, text.length, FIELDS);
      expect(completion.from).toBeLessThanOrEqual(completion.to);
      expect(
        pieces(text, check(text))
          .map((p) => p.text)
          .join(''),
      ).toBe(text);
    }
  });
});

describe('completion', () => {
  it('offers fields first, quoted where they must be', () => {
    expect(offered('')).toContain('oil_temperature');
    expect(offered('')).toContain('"Speed (OBD)(km/h)"');
    expect(offered('oil')).toEqual(['oil_temperature']);
    expect(offered('spe')[0]).toBe('"Speed (OBD)(km/h)"');
    expect(offered('oil_temperature > 95 and ge')[0]).toBe('gear');
  });

  it('offers operators that suit the type', () => {
    expect(offered('oil_temperature ')[0]).toBe('>');
    expect(offered('mode ')).toContain('contains');
    expect(offered('pump ')).not.toContain('between');
    expect(offered('mode not ')).toEqual(['in', 'between', 'contains', 'starts with', 'ends with']);
    expect(offered('mode starts ')).toEqual(['with']);
  });

  it('offers values of the field, quoted as the language needs', () => {
    expect(offered('gear = ')).toEqual(['126', '4']);
    expect(offered('mode = ')).toEqual(['eco', "'power plus'", "'driver''s'"]);
    expect(offered('mode = po')).toEqual(["'power plus'"]);
    expect(offered('pump = ')).toEqual(['true', 'false']);
    expect(offered('time >= ')).toContain('-15m');
    expect(offered('device = ')).toEqual(["'boiler 7'"]);
    expect(offered('mode in (')).toEqual(['eco', "'power plus'", "'driver''s'"]);
  });

  it('knows what follows a value, in brackets, lists and between', () => {
    expect(offered('gear = 4 ')).toEqual(['and', 'or']);
    expect(offered('(gear = 4 ')).toEqual(['and', 'or', ')']);
    expect(offered('gear in (4 ')).toEqual([',', ')']);
    expect(offered('gear between 1 ')).toEqual(['and']);
    expect(offered('gear between 1 and 5 ')).toEqual(['and', 'or']);
    expect(offered('gear exists ')).toEqual(['and', 'or']);
  });

  it('puts the choice in place of what was typed', () => {
    const text = 'mode = po and gear = 4';
    const completion = complete(text, 9, FIELDS);
    expect(accept(text, completion, completion.options[0] as never)).toEqual({
      text: "mode = 'power plus' and gear = 4",
      caret: 19,
    });
  });
});

describe('the form of a filter', () => {
  it.each([
    '',
    'a = 1',
    'not (a = 1 or b exists) and c in (1, 2)',
    'a not between 1 and 2',
    'a starts with "x"',
    'time >= -15m',
    'not not a = 1',
  ])('%s is whole', (text) => {
    expect(check(text)).toBeNull();
  });

  it.each([
    ['a', 1, 1, 'unfinished'],
    ['a =', 3, 3, 'unfinished'],
    ['(a = 1', 6, 6, 'unfinished'],
    ['a = 1)', 5, 6, 'unexpected'],
    ['a = = 1', 4, 5, 'unexpected'],
    ['and a = 1', 0, 3, 'unexpected'],
    ['a = "b', 4, 6, 'unfinished'],
    ['a not exists', 6, 12, 'unexpected'],
    ['a ! 1', 2, 3, 'unexpected'],
  ])('%s is at fault', (text, from, to, kind) => {
    expect(check(text)).toEqual({ from, to, kind });
  });

  it('finds the place that the server names, counted in characters of Unicode', () => {
    const text = '"😀" = 1 and gaer = 2';
    const found = faultOf("where: at character 13: there is no field 'gaer'; did you mean 'gear'?", text);
    expect(found).toEqual({ from: 13, to: 17, message: "there is no field 'gaer'; did you mean 'gear'?" });
    expect(faultOf('something else', text)).toBeNull();
  });

  it('quotes names and values so that they read as themselves', () => {
    expect(quoteField('gear')).toBe('gear');
    expect(quoteField('and')).toBe('"and"');
    expect(quoteField('a "b"')).toBe('"a ""b"""');
    expect(quoteValue('12')).toBe("'12'");
    expect(tokens(quoteField('a "b" (c)'))[0]?.text).toBe('a "b" (c)');
    expect(tokens(quoteValue("it's"))[0]?.text).toBe("it's");
  });
});
