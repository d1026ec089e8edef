import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  addQuantity,
  compareQuantity,
  parseQuantity,
  quantityMilliValue,
  quantityOf,
  quantityOfMilli,
  quantityOfNano,
  quantityValue,
  subQuantity,
  tryParseQuantity,
} from './quantity.ts';

describe('parseQuantity', () => {
  it.each([
    ['0', '0'],
    ['00', '0'],
    ['0Ki', '0'],
    ['.', '0'],
    ['1', '1'],
    ['100m', '100m'],
    ['0100m', '0100m'],
    ['0.1', '100m'],
    ['0.5', '500m'],
    ['1.5', '1500m'],
    ['1500m', '1500m'],
    ['1000m', '1'],
    ['1000', '1k'],
    ['1000000', '1M'],
    ['1.G', '1.G'],
    ['1024Mi', '1Gi'],
    ['1Gi', '1Gi'],
    ['1.5Gi', '1536Mi'],
    ['0.5Gi', '512Mi'],
    ['0.5Ki', '512'],
    ['1025Ki', '1025Ki'],
    ['100Ki', '100Ki'],
    ['8Ki', '8Ki'],
    ['1e3', '1e3'],
    ['1E3', '1E3'],
    ['12e6', '12e6'],
    ['1000e3', '1e6'],
    ['1e-10', '1e-9'],
    ['0.0000000001', '1n'],
    ['-0.0000000001', '-1n'],
    ['-1', '-1'],
    ['+1', '+1'],
    ['9999999999Ei', '9223372036854775807'],
    ['1Ei', '1Ei'],
    ['5E', '5E'],
  ])('%s is written %s', (text, canonical) => {
    expect(parseQuantity(text).text).toBe(canonical);
  });

  it.each([
    ['', /^quantities must match the regular expression/],
    ['abc', /^quantities must match the regular expression '\^\(\[\+-\]\?\[0-9\.\]\+\)/],
    ['1x', /^quantities must match/],
    ['1..2', /^quantities must match/],
    ['1 Gi', /^quantities must match/],
    ['1mm', /^unable to parse quantity's suffix$/],
    ['1e', /^unable to parse quantity's suffix$/],
    ['1KI', /^quantities must match/],
    ['1K', /^unable to parse quantity's suffix$/],
    ['1e999999999', /^unable to parse quantity's suffix$/],
  ])('%j is refused', (text, message) => {
    expect(() => parseQuantity(text)).toThrow(message);
  });

  it('takes numbers', () => {
    expect(parseQuantity(2).text).toBe('2');
    expect(parseQuantity(0.5).text).toBe('500m');
    expect(parseQuantity(1e21).nano).toBe(10n ** 30n);
  });

  it('rounds values up', () => {
    expect(quantityValue(parseQuantity('1500m'))).toBe(2);
    expect(quantityValue(parseQuantity('-1500m'))).toBe(-2);
    expect(quantityMilliValue(parseQuantity('1u'))).toBe(1);
    expect(quantityMilliValue(parseQuantity('2'))).toBe(2000);
    expect(quantityValue(parseQuantity('1Gi'))).toBe(1073741824);
  });

  it('adds and subtracts in the family of the left side', () => {
    expect(addQuantity(parseQuantity('1Gi'), parseQuantity('1Gi')).text).toBe('2Gi');
    expect(addQuantity(parseQuantity('0'), parseQuantity('1Gi')).text).toBe('1Gi');
    expect(subQuantity(parseQuantity('1'), parseQuantity('100m')).text).toBe('900m');
    expect(compareQuantity(parseQuantity('1024Mi'), parseQuantity('1Gi'))).toBe(0);
    expect(compareQuantity(parseQuantity('1G'), parseQuantity('1Gi'))).toBe(-1);
    expect(quantityOf(2048, 'BinarySI').text).toBe('2Ki');
    expect(quantityOfMilli(1500).text).toBe('1500m');
  });

  it('reads back what it writes', () => {
    fc.assert(
      fc.property(
        fc.bigInt({ min: -(2n ** 62n), max: 2n ** 62n }),
        fc.constantFrom('BinarySI', 'DecimalSI', 'DecimalExponent'),
        (nano, format) => {
          expect(parseQuantity(quantityOfNano(nano, format as 'BinarySI').text).nano).toBe(nano);
        },
      ),
    );
  });

  it('answers any text with a quantity or undefined', () => {
    fc.assert(
      fc.property(fc.stringMatching(/^[-+]?[0-9.]{0,24}[eEinumkKMGTP]{0,3}[-+]?[0-9]{0,3}$/), (text) => {
        const quantity = tryParseQuantity(text);
        if (quantity) expect(tryParseQuantity(quantity.text)?.nano).toBe(quantity.nano);
      }),
    );
  });
});
