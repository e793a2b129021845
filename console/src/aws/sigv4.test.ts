import { describe, expect, test } from 'vitest';

import { type Scope, UNSIGNED, encode, encodePath, presign, sign } from './sigv4';

/** The examples of "Authenticating Requests (AWS Signature Version 4)" in S3's reference. */
const scope: Scope = {
  credentials: { accessKeyId: 'AKIAIOSFODNN7EXAMPLE', secretAccessKey: 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY' },
  service: 's3',
  region: 'us-east-1',
  now: new Date('2013-05-24T00:00:00Z'),
};
const host = 'examplebucket.s3.amazonaws.com';

describe('Signature Version 4', () => {
  test('signs headers as the reference does', () => {
    const headers = sign({ method: 'GET', host, path: '/test.txt', headers: { Range: 'bytes=0-9' } }, scope);
    expect(headers.authorization).toContain('SignedHeaders=host;range;x-amz-content-sha256;x-amz-date');
    expect(headers.authorization).toMatch(/Signature=f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41$/);
  });

  test('signs queries as the reference does', () => {
    const query: [string, string][] = [['max-keys', '2'], ['prefix', 'J']];
    const headers = sign({ method: 'GET', host, path: '/', query }, scope);
    expect(headers.authorization).toMatch(/Signature=34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7$/);
  });

  test('makes links as the reference does', () => {
    const link = presign({ method: 'GET', host, path: '/test.txt' }, scope, 86400);
    expect(link).toMatch(/X-Amz-Signature=aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404$/);
  });

  test('sends session tokens, and says when a body is not signed', () => {
    const session = { ...scope, credentials: { ...scope.credentials, sessionToken: 'token' } };
    const headers = sign({ method: 'PUT', host, path: '/k', body: UNSIGNED }, session);
    expect(headers['x-amz-security-token']).toBe('token');
    expect(headers['x-amz-content-sha256']).toBe('UNSIGNED-PAYLOAD');
    expect(headers.host).toBeUndefined();
  });

  test('encodes what is not unreserved', () => {
    expect(encode("a b/c!'()*~é")).toBe('a%20b%2Fc%21%27%28%29%2A~%C3%A9');
    expect(encodePath('a b/c+d')).toBe('a%20b/c%2Bd');
  });
});
