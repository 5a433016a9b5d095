import { readConfig } from '../../gateway/config';

test('a configuration with mistakes names every variable and none of their values', () => {
  expect(() => readConfig({ SOURCE_URL: 'mysql://secret', TARGET_URL: 'postgres://x', PORT: 'http' })).toThrow(
    /CONTROL_URL is missing[^]*SOURCE_URL must be a PostgreSQL URL[^]*CUTOVER is missing[^]*PORT must be a port number/,
  );
  expect(() => readConfig({ SOURCE_URL: 'mysql://secret' })).not.toThrow(/secret/);
});
