import { describe, expect, it } from '@jest/globals';
import { FinetuneError } from '../src/errors.js';
import { isMasked, maskSecrets, maskUri } from '../src/maskSecrets.js';
import { assert, constantFrom, property, string, stringMatching } from './fastCheck.js';

describe('maskSecrets', () => {
  it.each([
    ['https://host/x.pth?token=SECRET', 'https://host/x.pth?token=***'],
    [
      'https://host/x.pth?a=SECRET&X-Amz-Signature=SECRET#sha256=ab',
      'https://host/x.pth?a=***&X-Amz-Signature=***#sha256=ab',
    ],
    ['https://host/x.pth?SECRET', 'https://host/x.pth?***'],
    ['https://me:SECRET@host:8080/x', 'https://***@host:8080/x'],
    ['https://SECRET@host/x', 'https://***@host/x'],
    ['https://me:SEC/RET@host/x', 'https://***@host/x'],
    ['https://me:S?CRE#T@host/x', 'https://***@host/x'],
    ['see (https://host/x?token=SECRET), then', 'see (https://host/x?token=***), then'],
    [
      "--set 'model.weights=https://host/x?token=SECRET' --out a",
      "--set 'model.weights=https://host/x?token=***' --out a",
    ],
    ['https://host/cb#access_token=SECRET', 'https://host/cb#access_token=***'],
    ['Authorization: Bearer SECRETSECRET', 'Authorization: Bearer ***'],
    ['//registry/:_authToken=SECRET', '//registry/:_authToken=***'],
    ['hf_SECRETSECRETSECRET is expired', 'hf_*** is expired'],
  ])('%s', (text, masked) => {
    expect(maskSecrets(text)).toBe(masked);
  });

  it.each([
    'https://registry.example/@scope/pkg',
    'https://host:8080/a/@b/c#section',
    'model.weights: 3 missing; did you mean "weights"?',
    'user@example.org',
    'npm_config_registry',
    'a=b&c',
  ])('leaves %s', (text) => {
    expect(maskSecrets(text)).toBe(text);
  });

  const secret = stringMatching(/^[A-Za-z0-9%._~!$*+,;:@-]*[A-Za-z0-9]{6}$/);
  it('hides every value of a query and every password, and masks no mask', () => {
    assert(
      property(
        secret,
        constantFrom('https://h/x?token=', 'http://h/x?a=1&sig=', 'https://h/?', 'https://u:'),
        string(),
        (hidden, before, after) => {
          const text = `${before}${hidden}${before.endsWith('u:') ? '@h/x' : ''} ${after}`;
          const masked = maskSecrets(text);
          expect(masked.slice(0, masked.length - after.length)).not.toContain(hidden.slice(-6));
          expect(maskSecrets(masked)).toBe(masked);
        },
      ),
    );
  });

  it('keeps the length where a caret stands below', () => {
    const line = '1 | weights: https://h/x?token=SECRET # ours';
    expect(maskSecrets(line, { sameLength: true })).toBe('1 | weights: https://h/x?token=****** # ours');
  });

  it('takes linear time', () => {
    for (const piece of ['a.', '//', 'a://', '?a=', 'https://u:', '_', '#a', 'bearer '])
      maskSecrets(piece.repeat(200_000));
  });
});

it('maskUri leaves paths of the disk', () => {
  expect(maskUri('file:a?b=c.safetensors')).toBe('file:a?b=c.safetensors');
  expect(maskUri('https://h/a?b=c')).toBe('https://h/a?b=***');
  expect(['https://h/a?b=***', 'https://h/a?***', 'https://***@h/a'].map(isMasked)).toEqual([true, true, true]);
  expect(['https://h/a?b=c', 'https://h/a***', 'https://h/a?b=***&c=d'].map(isMasked)).toEqual([false, false, false]);
});

it('an error has no secret in any of its texts', () => {
  const url = 'https://me:SECRET@h/x?token=SECRET';
  const error = new FinetuneError({ code: 'E_USAGE', message: url, fix: url, excerpt: `  ${url}` });
  expect(error.message + JSON.stringify(error.problems)).not.toContain('SECRET');
});
