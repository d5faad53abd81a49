// Le direct : ouvert, repris après chaque coupure, et jamais cru vivant quand il se tait.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createLive } from '../../static/js/live.js';

/**
 * Un direct sur des fils factices, que le test fait parler, à une heure que le test avance.
 * @param {import('node:test').TestContext} test
 */
function scene({ mock }) {
  let now = 1_000_000;
  mock.method(Date, 'now', () => now);
  /** @type {(import('../../static/js/live.js').Stream & {closed: boolean, say: (name: string, data?: string) => void})[]} */
  const streams = [];
  /** @type {string[]} */
  const told = [];
  const connect = () => {
    /** @type {Record<string, (event: {data: string}) => void>} */
    const heard = {};
    const stream = {
      closed: false,
      addEventListener: (/** @type {string} */ name, /** @type {(event: any) => void} */ act) => void (heard[name] = act),
      close: () => void (stream.closed = true),
      say: (/** @type {string} */ name, data = '') => heard[name]?.({ data }),
    };
    streams.push(stream);
    return stream;
  };
  const listener = {
    onHello: () => void told.push('hello'),
    onChanged: (/** @type {string[]} */ parts) => void told.push(parts.join(' ')),
    onLost: () => void told.push('lost'),
  };
  const live = createLive(listener, connect);
  const later = (/** @type {number} */ ms) => {
    now += ms;
    live.watch();
  };
  live.watch();
  return { live, streams, told, later, last: () => streams[streams.length - 1] };
}

test('says what changed, and nothing for what it cannot read', (t) => {
  const { live, told, last } = scene(t);
  assert.equal(live.isConnected(), false, 'not before the program has spoken');
  last().say('hello', '{"version":"1"}');
  last().say('changed', '{"parts":["budget","orders"]}');
  last().say('changed', 'nonsense');
  last().say('changed', '{"parts":7}');
  assert.deepEqual(told, ['hello', 'budget orders', '', '']);
  assert.equal(live.isConnected(), true);
});

test('a broken stream is taken up again, more and more patiently', (t) => {
  const { live, streams, told, later, last } = scene(t);
  last().say('hello');
  last().say('error');
  assert.deepEqual([told.at(-1), live.isConnected(), last().closed], ['lost', false, true]);
  later(900);
  assert.equal(streams.length, 1);
  later(200);
  assert.equal(streams.length, 2);
  last().say('error');
  later(1_500);
  assert.equal(streams.length, 2, 'the second wait is longer');
  later(600);
  assert.equal(streams.length, 3);
  for (let i = 0; i < 10; i += 1) {
    last().say('error');
    later(30_000);
  }
  assert.equal(streams.length, 13, 'but never longer than half a minute');
  last().say('hello');
  last().say('error');
  later(1_000);
  assert.equal(streams.length, 14, 'and short again after it worked');
});

test('a silence longer than the heartbeat is a broken stream', (t) => {
  const { streams, told, later, last } = scene(t);
  last().say('hello');
  later(30_000);
  last().say('alive');
  later(30_000);
  assert.deepEqual(told, ['hello']);
  later(11_000);
  assert.deepEqual(told, ['hello', 'lost']);
  later(1_000);
  assert.equal(streams.length, 2);
});

test('what a stream says after it was left is not heard', (t) => {
  const { live, streams, told, later } = scene(t);
  streams[0].say('hello');
  live.close();
  later(0);
  streams[0].say('changed', '{"parts":["budget"]}');
  streams[0].say('error');
  assert.deepEqual([told, streams.length], [['hello', 'lost'], 2]);
});
